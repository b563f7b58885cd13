import { scriptOf } from './redis-link.ts';

// Keys: 1 the log, a Redis stream whose entry `0-<seq + 1>` is the event `seq`; 2 its head, a hash; 3 is there while its
// writer lives; 4 is there while a reader in another process reads; 5 of `open` the answers of its owner by age.

/** ARGV: id, owner, model, now, keepMs, lifeMs, maxPerOwner, prefix. */
export const openScript = scriptOf(`
if redis.call('EXISTS', KEYS[2]) == 1 then return 1 end
local id, now, keep, most = ARGV[1], tonumber(ARGV[4]), ARGV[5], tonumber(ARGV[7])
if redis.call('ZCARD', KEYS[5]) >= most then
  for _, other in ipairs(redis.call('ZRANGE', KEYS[5], 0, -1)) do
    if redis.call('ZCARD', KEYS[5]) < most then break end
    local log = ARGV[8] .. other
    local facts = redis.call('HMGET', log .. ':head', 'next', 'ended')
    local unwritten = facts[1] == '0' and redis.call('EXISTS', log .. ':alive') == 0
    if facts[2] or not facts[1] or unwritten then
      redis.call('DEL', log, log .. ':head', log .. ':alive', log .. ':read')
      redis.call('ZREM', KEYS[5], other)
    end
  end
  if redis.call('ZCARD', KEYS[5]) >= most then return 0 end
end
redis.call('ZADD', KEYS[5], now, id)
redis.call('PEXPIRE', KEYS[5], 86400000)
redis.call('HSET', KEYS[2], 'owner', ARGV[2], 'model', ARGV[3], 'next', 0, 'bytes', 0)
redis.call('PEXPIRE', KEYS[2], keep)
redis.call('SET', KEYS[3], '1', 'PX', ARGV[6])
return 1`);

/**
 * ARGV: keepMs, lifeMs, maxBytes, whether the last event ends the log, whether the writer is somebody else who found it
 * gone, number of the first event, channel, id, the events. A bury takes the number that comes next.
 */
export const appendScript = scriptOf(`
if redis.call('EXISTS', KEYS[2]) == 0 or redis.call('HEXISTS', KEYS[2], 'ended') == 1 then return 'lost' end
local buries = ARGV[5] == '1'
if buries and redis.call('EXISTS', KEYS[3]) == 1 then return 'go' end
local facts = redis.call('HMGET', KEYS[2], 'next', 'bytes', 'stop')
local next, bytes = tonumber(facts[1]), tonumber(facts[2])
local seq = tonumber(ARGV[6])
for at = 9, #ARGV do
  local text = ARGV[at]
  if buries then
    text = string.gsub(text, '"seq":%d+', '"seq":' .. next)
    seq = next
  end
  if seq > next then return 'lost' end
  if seq == next then
    redis.call('XADD', KEYS[1], '0-' .. (seq + 1), 'e', text)
    next = next + 1
    bytes = bytes + #text
  end
  seq = seq + 1
end
while bytes > tonumber(ARGV[3]) do
  local many = redis.call('XLEN', KEYS[1])
  if many <= 1 then break end
  local part = math.ceil(many / 8)
  for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', part)) do bytes = bytes - #entry[2][2] end
  redis.call('XTRIM', KEYS[1], 'MAXLEN', many - part)
end
redis.call('HSET', KEYS[2], 'next', next, 'bytes', bytes)
if ARGV[4] == '1' then redis.call('HSET', KEYS[2], 'ended', 1) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[1])
if not buries then redis.call('SET', KEYS[3], '1', 'PX', ARGV[2]) end
redis.call('PUBLISH', ARGV[7], ARGV[8])
if facts[3] then return 'stop' end
return 'go'`);

/** ARGV: keepMs, lifeMs. Whether somebody asked to stop it. */
export const renewScript = scriptOf(`
if redis.call('EXISTS', KEYS[2]) == 0 or redis.call('HEXISTS', KEYS[2], 'ended') == 1 then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[1])
redis.call('SET', KEYS[3], '1', 'PX', ARGV[2])
return redis.call('HEXISTS', KEYS[2], 'stop')`);

/** ARGV: number of the first event, most events, stayMs. Gives next, ended, alive, whether there are events in front of the first one kept, events. */
export const readScript = scriptOf(`
local facts = redis.call('HMGET', KEYS[2], 'next', 'ended')
if not facts[1] then return false end
if tonumber(ARGV[3]) > 0 then redis.call('SET', KEYS[4], '1', 'PX', ARGV[3]) end
local first = tonumber(ARGV[1])
local texts = {}
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '0-' .. (first + 1), '+', 'COUNT', ARGV[2])) do
  texts[#texts + 1] = entry[1]
  texts[#texts + 1] = entry[2][2]
end
return { facts[1], facts[2] or '0', redis.call('EXISTS', KEYS[3]), texts }`);

/** ARGV: channel, id. Whether there was a writer to be told. */
export const stopScript = scriptOf(`
if redis.call('EXISTS', KEYS[2]) == 0 or redis.call('HEXISTS', KEYS[2], 'ended') == 1 then return 0 end
if redis.call('EXISTS', KEYS[3]) == 0 then return 0 end
redis.call('HSET', KEYS[2], 'stop', 1)
redis.call('PUBLISH', ARGV[1], ARGV[2])
return 1`);

/** ARGV: claim, lifeMs. Who had it, or nothing. */
export const claimScript = scriptOf(`
local known = redis.call('GET', KEYS[1])
if known then return known end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return false`);

/** ARGV: id. */
export const unclaimScript = scriptOf(`
local known = redis.call('GET', KEYS[1])
if known and string.sub(known, 1, #ARGV[1] + 1) == ARGV[1] .. ' ' then redis.call('DEL', KEYS[1]) end
return 1`);
