import { scriptOf } from './redis-link.ts';

// Keys: 1 the index, a sorted set of entries by when they end; 2 how large each is; 3 how large all are; 4 how often has
// been purged. Entries end by themselves; what the index has of them goes with the next one that is put.

const outOf = `
local function out(member)
  local size = redis.call('HGET', KEYS[2], member)
  if not size then return 0 end
  redis.call('DECRBY', KEYS[3], size)
  redis.call('HDEL', KEYS[2], member)
  redis.call('ZREM', KEYS[1], member)
  redis.call('DEL', prefix .. member)
  return 1
end
`;

/** ARGV: prefix of entries, member, text, size, ticket, ttlMs, maxEntries, maxBytes. */
export const putScript = scriptOf(`
local prefix = ARGV[1]
${outOf}
if (redis.call('GET', KEYS[4]) or '0') ~= ARGV[5] then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local member, size, ttl = ARGV[2], tonumber(ARGV[4]), tonumber(ARGV[6])
for _, old in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 100)) do out(old) end
out(member)
if size > tonumber(ARGV[8]) then return 0 end
redis.call('SET', prefix .. member, ARGV[3], 'PX', ttl)
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ttl), member)
redis.call('HSET', KEYS[2], member, size)
redis.call('INCRBY', KEYS[3], size)
while redis.call('ZCARD', KEYS[1]) > tonumber(ARGV[7]) or tonumber(redis.call('GET', KEYS[3])) > tonumber(ARGV[8]) do
  out(redis.call('ZRANGE', KEYS[1], 0, 0)[1])
end
for at = 1, 3 do
  if redis.call('PTTL', KEYS[at]) < ttl then redis.call('PEXPIRE', KEYS[at], ttl) end
end
return 1`);

/** ARGV: prefix of entries, member. */
export const dropScript = scriptOf(`
local prefix = ARGV[1]
${outOf}
return out(ARGV[2])`);

/** ARGV: prefix of entries, cursor, tenant or '', model or ''. A part of it at a time: nobody else waits for all of it. */
export const purgeScript = scriptOf(`
local prefix = ARGV[1]
${outOf}
local page = redis.call('ZSCAN', KEYS[1], ARGV[2], 'COUNT', 500)
local count = 0
for at = 1, #page[2], 2 do
  local member = page[2][at]
  local tenant, model = member:match('^([^:]*):([^:]*):')
  if (ARGV[3] == '' or ARGV[3] == tenant) and (ARGV[4] == '' or ARGV[4] == model) then count = count + out(member) end
end
return { page[1], count }`);
