-- Producers' last sequences: '<sequence> <id of that entry>', read once a call, written once a call.
local Producers = {}
Producers.__index = Producers

local function time_of(id)
  return tonumber(string.match(id, '^%d+'))
end

function Producers.open(key)
  return setmetatable({ key = key, known = {}, jumped = 0, repeated = 0 }, Producers)
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

-- True when this sequence was applied before.
function Producers:repeats(producer, sequence, id)
  local last = self.known[producer]
  if not last then
    local stored = redis.call('HGET', self.key, producer)
    if stored then
      local stored_sequence, stored_id = string.match(stored, '^(%d+) (%S+)$')
      last = { sequence = tonumber(stored_sequence), id = stored_id }
    else
      self:forget_idle(time_of(id))
      last = { sequence = sequence - 1, id = id }
    end
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
  if self.jumped > 0 then redis.call('HINCRBY', self.key, '@jumped', self.jumped) end
end
