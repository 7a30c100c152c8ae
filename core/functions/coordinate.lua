-- coordinate: a consumer says that it is alive, gives partitions up and takes free ones, and learns who else is there.
-- Ownership is only for speed: safety is the apply function's compare-and-set.
--
-- KEYS  1 sessions (sorted set: consumer -> expiry), 2 owners (hash: partition -> consumer),
--       3 states (hash: partition -> JSON)
-- ARGV  1 consumer, 2 lease ms (0: leave), 3 channel, 4 n released, 5 n claimed, 6 n states,
--       then released partitions, claimed partitions, states as partition and JSON in turn
-- Reply { live consumers, owners as partition and consumer in turn }, after the change. A partition claimed by two
--       goes to the first.
local function now()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

local function coordinate(keys, args)
  local sessions, owners, states = keys[1], keys[2], keys[3]
  local consumer, lease_ms, channel = args[1], tonumber(args[2]), args[3]
  local now_ms = now()
  local changed = false

  if lease_ms > 0 then
    if redis.call('ZADD', sessions, now_ms + lease_ms, consumer) == 1 then changed = true end
  elseif redis.call('ZREM', sessions, consumer) == 1 then
    changed = true
  end
  if redis.call('ZREMRANGEBYSCORE', sessions, '-inf', string.format('(%.0f', now_ms)) > 0 then changed = true end

  local live = {}
  local names = redis.call('ZRANGE', sessions, 0, -1)
  for _, name in ipairs(names) do live[name] = true end
  local held = redis.call('HGETALL', owners)
  for i = 1, #held, 2 do
    if not live[held[i + 1]] then
      redis.call('HDEL', owners, held[i])
      changed = true
    end
  end

  local at = 7
  for _ = 1, tonumber(args[4]) do
    if redis.call('HGET', owners, args[at]) == consumer then
      redis.call('HDEL', owners, args[at])
      changed = true
    end
    at = at + 1
  end
  for _ = 1, tonumber(args[5]) do
    if live[consumer] and redis.call('HSETNX', owners, args[at], consumer) == 1 then changed = true end
    at = at + 1
  end
  for _ = 1, tonumber(args[6]) do
    redis.call('HSET', states, args[at], args[at + 1])
    at = at + 2
  end

  if changed then redis.call('PUBLISH', channel, consumer) end
  return { names, redis.call('HGETALL', owners) }
end

-- ownership: who owns what now, for those who only look. A consumer whose lease has run out owns nothing, also when
-- nobody is left to take over.
--
-- KEYS  as for coordinate
-- Reply { owners, states }, each as partition and text in turn
local function ownership(keys)
  local held = redis.call('HGETALL', keys[2])
  local owners, now_ms = {}, now()
  for i = 1, #held, 2 do
    local expiry = redis.call('ZSCORE', keys[1], held[i + 1])
    if expiry and tonumber(expiry) >= now_ms then
      owners[#owners + 1] = held[i]
      owners[#owners + 1] = held[i + 1]
    end
  end
  return { owners, redis.call('HGETALL', keys[3]) }
end
