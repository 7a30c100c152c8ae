-- Producers' last sequences: '<sequence> <id of that entry>', read once a call, written once a call. And the partition's
-- clock, @clock, in milliseconds since the epoch: the latest time of a command so far.
local Producers = {}
Producers.__index = Producers

local function time_of(id)
  return tonumber(string.match(id, '^%d+'))
end

function Producers.open(key)
  local clock = tonumber(redis.call('HGET', key, '@clock') or '0')
  return setmetatable({ key = key, known = {}, jumped = 0, repeated = 0, clock = clock }, Producers)
end

-- The time at which a command of this time is applied: never before the one of those before it.
function Producers:at(time_ms)
  if time_ms > self.clock then self.clock = time_ms end
  return self.clock
end

-- A new producer comes when an api process starts: rare enough to look at all of them.
function Producers:forget_idle(now_ms)
  local fields = redis.call('HGETALL', self.key)
  for i = 1, #fields, 2 do
    local seen = self.known[fields[i]]
    local id = seen and seen.id or string.match(fields[i + 1], '^%d+ (%S+)$')
    if id and time_of(id) < now_ms - PRODUCER_IDLE_MAX_MS then
      redis.call('HDEL', self.key, fields[i])
      self.known[fields[i]] = nil
    end
  end
end

-- What is known of a producer, or nil.
function Producers:last_of(producer)
  local last = self.known[producer]
  if last then return last end
  local stored = redis.call('HGET', self.key, producer)
  if not stored then return nil end
  local sequence, id = string.match(stored, '^(%d+) (%S+)$')
  last = { sequence = tonumber(sequence), id = id }
  self.known[producer] = last
  return last
end

-- A producer that goes on under a new name says in its first header how far it was under the one before: what of that
-- did not come is lost.
function Producers:lost_before(header)
  local name, acknowledged = string.match(header, '^{"p":"[^"]*","s":1,"pp":"([^"]+)","ps":(%d+)')
  if not name then return 0 end
  local before = self:last_of(name)
  return math.max(0, tonumber(acknowledged) - (before and before.sequence or 0))
end

-- True when this sequence was applied before.
function Producers:repeats(producer, sequence, id, header)
  local last = self:last_of(producer)
  if not last then
    self.jumped = self.jumped + self:lost_before(header)
    self:forget_idle(time_of(id))
    last = { sequence = 0, id = id }
    self.known[producer] = last
  end
  if sequence <= last.sequence then
    self.repeated = self.repeated + 1
    return true
  end
  self.jumped = self.jumped + (sequence - last.sequence - 1)
  last.sequence, last.id = sequence, id
  return false
end

function Producers:close()
  for producer, last in pairs(self.known) do
    redis.call('HSET', self.key, producer, string.format('%.0f %s', last.sequence, last.id))
  end
  redis.call('HSET', self.key, '@clock', string.format('%.0f', self.clock))
  if self.jumped > 0 then redis.call('HINCRBY', self.key, '@jumped', self.jumped) end
end
