import { scriptOf } from './redis-link.ts';

/**
 * Shared by the scripts below. `p` is the prefix; under it are `r:` rates, `q:` quotas (settled, reserved), `g:` gauges
 * (who holds them), `h:` what a hold has, `x` when holds run out, `s:` how a hold ended.
 */
const common = `
local p = KEYS[1]
local now = tonumber(ARGV[1])
if not now then
  local t = redis.call('TIME')
  now = tonumber(t[1]) * 1000 + tonumber(t[2]) / 1000
end
local hold_ms, remember_ms = tonumber(ARGV[2]), tonumber(ARGV[3])
local function int(n) return string.format('%.0f', n) end
local function release(id, state)
  local held = redis.call('HGETALL', p .. ':h:' .. id)
  for i = 1, #held, 2 do
    local kind, key = held[i]:sub(1, 1), held[i]:sub(3)
    if kind == 'g' then
      redis.call('SREM', p .. ':g:' .. key, id)
    elseif redis.call('EXISTS', p .. ':q:' .. key) == 1 then
      redis.call('HINCRBY', p .. ':q:' .. key, 'r', int(0 - tonumber(held[i + 1])))
    end
  end
  redis.call('DEL', p .. ':h:' .. id)
  redis.call('ZREM', p .. ':x', id)
  redis.call('SET', p .. ':s:' .. id, state, 'PX', int(remember_ms))
end
local function run_out()
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', p .. ':x', '-inf', now, 'LIMIT', 0, 100)) do
    release(id, 'expired')
  end
end
local function add(key, member, amount, ends)
  redis.call('HINCRBY', p .. ':q:' .. key, member, int(amount))
  redis.call('PEXPIRE', p .. ':q:' .. key, int(math.max(0, ends - now) + 3600000))
end
`;

/** Takes of every line or of none: the same decision as `decideAsk`. */
export const takeScript = scriptOf(`${common}
local ask = cjson.decode(ARGV[4])
local takes = ARGV[5] == '1'
run_out()
local allowed = true
local units = ask.units
local rates, tats = {}, {}
for i, line in ipairs(ask.rates) do
  local burst, interval = line.rate.burst, line.rate.intervalMs
  local tat = tonumber(redis.call('GET', p .. ':r:' .. line.key) or '') or now
  if tat > now + burst * interval + 1 then tat = now end
  local current = math.max(tat, now)
  local next = current + interval
  local earliest = next - burst * interval
  local slack = math.min(0.01, interval / 2)
  local fits = earliest <= now + slack
  tats[i] = next
  local left = math.max(0, math.floor((now + slack - earliest) / interval))
  rates[i] = { fits = fits, current = current, next = next, earliest = earliest, left = left }
  if not fits then allowed = false end
end
local quotas = {}
for i, line in ipairs(ask.quotas) do
  local known = redis.call('HMGET', p .. ':q:' .. line.key, 's', 'r')
  local settled, reserved = tonumber(known[1] or '') or 0, tonumber(known[2] or '') or 0
  local rest = line.limit - settled - reserved - line.fixed
  local room = -1
  if rest >= 0 then
    if line.perUnit == 0 then room = math.huge else room = math.floor(rest / line.perUnit) end
  end
  units = math.min(units, room)
  quotas[i] = { settled = settled, reserved = reserved, fits = room >= ask.leastUnits }
end
if units < ask.leastUnits then allowed = false end
local gauges = {}
for i, line in ipairs(ask.gauges) do
  local held = redis.call('SCARD', p .. ':g:' .. line.key)
  gauges[i] = { held = held, fits = held < line.limit }
  if held >= line.limit then allowed = false end
end
local taken = allowed and takes
if taken then
  for i, line in ipairs(ask.rates) do
    if not line.looks then
      redis.call('SET', p .. ':r:' .. line.key, string.format('%.17g', tats[i]), 'PX', int(math.ceil(tats[i] - now) + 1000))
    end
  end
  local id = ask.holdId
  for i, line in ipairs(ask.quotas) do
    local amount = line.fixed + line.perUnit * units
    if id then
      add(line.key, 'r', amount, line.endsAtMs)
      redis.call('HINCRBY', p .. ':h:' .. id, 'q:' .. line.key, int(amount))
      quotas[i].reserved = quotas[i].reserved + amount
    else
      add(line.key, 's', amount, line.endsAtMs)
      quotas[i].settled = quotas[i].settled + amount
    end
  end
  for i, line in ipairs(ask.gauges) do
    redis.call('SADD', p .. ':g:' .. line.key, id)
    redis.call('HSET', p .. ':h:' .. id, 'g:' .. line.key, '1')
    gauges[i].held = gauges[i].held + 1
  end
  if id and #ask.quotas + #ask.gauges > 0 then redis.call('ZADD', p .. ':x', now + hold_ms, id) end
end
local function flag(b) if b then return '1' end return '0' end
local out = { flag(allowed), allowed and int(units) or '0' }
for i, line in ipairs(ask.rates) do
  local s = rates[i]
  local remaining, retry, reset = 0, 0, s.current - now
  if not s.fits then retry = s.earliest - now
  elseif taken and not line.looks then remaining, reset = s.left, s.next - now
  else remaining = s.left + 1 end
  out[#out + 1] = flag(s.fits)
  out[#out + 1] = int(remaining)
  out[#out + 1] = string.format('%.17g', retry)
  out[#out + 1] = string.format('%.17g', reset)
end
for _, s in ipairs(quotas) do
  out[#out + 1] = flag(s.fits)
  out[#out + 1] = int(s.settled)
  out[#out + 1] = int(s.reserved)
end
for _, s in ipairs(gauges) do
  out[#out + 1] = flag(s.fits)
  out[#out + 1] = int(s.held)
end
return out
`);

/** Ends a hold and charges what it came to; a second time does nothing. */
export const settleScript = scriptOf(`${common}
local id = ARGV[4]
local charges = cjson.decode(ARGV[5])
local open = redis.call('EXISTS', p .. ':h:' .. id) == 1
local state = redis.call('GET', p .. ':s:' .. id)
if not open and (state == 'settled' or (not state and #charges == 0)) then return 0 end
release(id, 'settled')
for _, charge in ipairs(charges) do add(charge.key, 's', charge.amount, charge.endsAtMs) end
return 1
`);

/** Gives open holds more time. */
export const renewScript = scriptOf(`${common}
run_out()
for i = 4, #ARGV do redis.call('ZADD', p .. ':x', 'XX', now + hold_ms, ARGV[i]) end
return 1
`);
