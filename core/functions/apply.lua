-- apply: moves a partition's store from one watermark to a later one, with everything that belongs to it.
--
-- KEYS  1 watermark, 2 producers, 3 outcomes, 4 dead, then index keys, then each command's value key
-- ARGV  1 expected watermark record, 2 channel, 3 number of index keys, 4 the commands as one JSON array, 5 their bodies,
--       one after the other (one long argument costs far less than many short ones)
--       a command: [id, ordinal, operation, producer, sequence, argument, condition, awaited, index number, key, header,
--       length of its body]
--       operation: put (argument = content type) | delete | increment (argument = by) | park (argument = reason)
-- Reply { 'OK', new watermark record, rejected, dead, repeated, jumped }, or, with nothing changed:
--       { 'MISMATCH', stored watermark record }   another owner was here, or the store went back
--       { 'GAP', stored watermark record, id }    the log jumps over entries at id: some are lost
--       { 'REGRESSED', stored watermark record, id }  the log counts again what is applied: it went back
--
-- The watermark record is '<id> <ordinal>'. Rules: R1, only from exactly the expected watermark, and only over
-- consecutive ordinals; R4, a producer's repeated sequence has no effect, a jump in it is counted as lost writes.
-- Every command runs under pcall, because a function is no transaction: one that raises an error goes to the dead
-- letters, in this call, under its own id, and the rest goes on. A command writes at most once, as its last step, so
-- an error leaves nothing of it behind. No clock and no randomness: the same log gives the same store.

local ID, ORDINAL, OPERATION, PRODUCER, SEQUENCE, ARGUMENT, CONDITION, AWAITED, INDEX, KEY, HEADER, LENGTH =
  1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
local CREATED, REPLACED, DELETED = 'applied created', 'applied replaced', 'applied deleted'
-- unpack fails near 8,000 values.
local MEMBERS_PER_CALL = 500
local LIMB = 1000000000

-- 64-bit integers as decimal text, in two limbs that a double holds exactly.
local function parse_integer(text)
  local sign, digits = string.match(text, '^(%-?)(%d+)$')
  if not digits or #digits > 19 or (#digits > 1 and string.sub(digits, 1, 1) == '0') or text == '-0' then
    return nil
  end
  local high = tonumber(string.sub(digits, 1, -10)) or 0
  local low = tonumber(string.sub(digits, -9))
  if sign == '-' then high, low = -high, -low end
  return high, low
end

local function in_range(high, low)
  if high > 9223372036 or high < -9223372036 then return false end
  if high == 9223372036 then return low <= 854775807 end
  if high == -9223372036 then return low >= -854775808 end
  return true
end

-- The sum as text, or nil when an operand is no integer, or false when the sum does not fit 64 bits.
local function add(a, b)
  local a_high, a_low = parse_integer(a)
  local b_high, b_low = parse_integer(b)
  if not a_high or not b_high or not in_range(a_high, a_low) or not in_range(b_high, b_low) then return nil end
  local high, low = a_high + b_high, a_low + b_low
  if low >= LIMB then high, low = high + 1, low - LIMB end
  if low <= -LIMB then high, low = high - 1, low + LIMB end
  if high > 0 and low < 0 then high, low = high - 1, low + LIMB end
  if high < 0 and low > 0 then high, low = high + 1, low - LIMB end
  if not in_range(high, low) then return false end
  if high == 0 then return string.format('%.0f', low + 0) end
  return string.format('%s%.0f%09.0f', high < 0 and '-' or '', math.abs(high), math.abs(low))
end

-- Is the condition met by a key whose present revision is `current` (nil: no such key)?
local function met(condition, current)
  local wanted = string.sub(condition, 2)
  local same = current ~= nil and (wanted == '*' or wanted == current)
  return same == (string.sub(condition, 1, 1) == '=')
end

-- Each returns its result as text (see parseResult in apply.ts), and 1 or 0 when the key came or went.
-- `exists` is nil, or the key's present revision.
local operations = {}

function operations.put(command, value_key, body, exists)
  redis.call('SET', value_key, command[ID] .. '\t' .. command[ARGUMENT] .. '\n' .. body)
  if exists then return REPLACED end
  return CREATED, 1
end

function operations.delete(_, value_key, _, exists)
  if not exists then return 'applied absent' end
  redis.call('DEL', value_key)
  return DELETED, 0
end

function operations.increment(command, value_key, _, exists)
  local before, content_type = '0', 'text/plain'
  if exists then
    local record = redis.call('GET', value_key)
    local line_end = string.find(record, '\n', 1, true)
    before = string.sub(record, line_end + 1)
    content_type = string.match(record, '^[^\t]*\t([^\t\n]*)')
  end
  local after = add(before, command[ARGUMENT])
  if after == nil then return 'rejected not-an-integer' end
  if after == false then return 'rejected increment-overflow' end
  redis.call('SET', value_key, command[ID] .. '\t' .. content_type .. '\n' .. after)
  return 'applied counted ' .. after, not exists and 1 or nil
end

local function run(command, value_key, body)
  local head = redis.call('GETRANGE', value_key, 0, 47)
  local exists
  if head ~= '' then
    exists = string.match(head, '^(%d+%-%d+)\t')
    if not exists then error('the store holds something that is not a value of ours') end
  end
  if command[CONDITION] ~= '' and not met(command[CONDITION], exists) then return 'rejected condition-not-met' end
  return operations[command[OPERATION]](command, value_key, body, exists)
end

local function error_text(reason)
  if type(reason) == 'table' then reason = reason.err or 'error' end
  return string.sub(tostring(reason), 1, 300)
end

-- Under the command's own id, so never twice. Never raises: should somebody have pushed the stream's last id ahead, the
-- entry goes to its end and names the id.
local function note(stream, id, ...)
  if type(redis.pcall('XADD', stream, id, ...)) == 'table' then redis.pcall('XADD', stream, '*', 'id', id, ...) end
end

local function park(dead_key, outcomes_key, command, body, reason)
  local id = command[ID]
  note(dead_key, id, 'reason', reason, 'attempts', '1', 'v1', command[HEADER], 'b', body)
  note(outcomes_key, id, 'o', 'dead ' .. reason)
end

-- The keys of a namespace in byte order: final presence of each key that came or went in this batch.
local function update_index(index_key, members)
  local added, removed = {}, {}
  for key, present in pairs(members) do
    if present == 1 then
      added[#added + 1] = 0
      added[#added + 1] = key
    else
      removed[#removed + 1] = key
    end
  end
  for i = 1, #added, 2 * MEMBERS_PER_CALL do
    redis.call('ZADD', index_key, unpack(added, i, math.min(i + 2 * MEMBERS_PER_CALL - 1, #added)))
  end
  for i = 1, #removed, MEMBERS_PER_CALL do
    redis.call('ZREM', index_key, unpack(removed, i, math.min(i + MEMBERS_PER_CALL - 1, #removed)))
  end
end

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

-- The first break in the chain of ordinals, or nil. Ordinal 0: an entry that the append function did not write.
local function broken(commands, stored_ordinal)
  local expected = stored_ordinal + 1
  for _, command in ipairs(commands) do
    local ordinal = command[ORDINAL]
    if ordinal ~= 0 then
      if ordinal > expected then return 'GAP', command[ID] end
      if ordinal < expected then return 'REGRESSED', command[ID] end
      expected = expected + 1
    end
  end
end

-- An error outside the pcall of a command would leave half a batch behind: so the types of our own keys are looked at
-- before anything is written.
local function foreign_type(keys, index_count)
  local expected = { 'string', 'hash', 'stream', 'stream' }
  for i = 1, 4 + index_count do
    local found = redis.call('TYPE', keys[i]).ok
    if found ~= 'none' and found ~= (expected[i] or 'zset') then return keys[i] end
  end
end

local function apply(keys, args)
  local stored = redis.call('GET', keys[1]) or '0-0 0'
  if stored ~= args[1] then return { 'MISMATCH', stored } end
  local last_ordinal = tonumber(string.match(stored, ' (%d+)$'))
  local commands, index_count = cjson.decode(args[4]), tonumber(args[3])
  local verdict, at_id = broken(commands, last_ordinal)
  if verdict then return { verdict, stored, at_id } end
  local foreign = foreign_type(keys, index_count)
  if foreign then return redis.error_reply('MRSTORE ' .. foreign .. ' has a type that is not ours') end

  local outcomes_key, dead_key = keys[3], keys[4]
  local producers = Producers.open(keys[2])
  local indexes, awaited, last_id = {}, {}, nil
  local rejected, dead, logged = 0, 0, false
  local bodies, body_at = args[5], 1
  for i = 1, index_count do indexes[i] = {} end

  for i, command in ipairs(commands) do
    local body, result, present = string.sub(bodies, body_at, body_at + command[LENGTH] - 1), nil, nil
    body_at = body_at + command[LENGTH]
    last_id = command[ID]
    if command[ORDINAL] ~= 0 then last_ordinal = command[ORDINAL] end
    if command[OPERATION] == 'park' then
      result = 'dead ' .. command[ARGUMENT]
    elseif producers:repeats(command[PRODUCER], command[SEQUENCE], last_id) then
      result = 'applied repeated'
    else
      local ok
      ok, result, present = pcall(run, command, keys[4 + index_count + i], body)
      if not ok then result, present = 'dead ' .. error_text(result), nil end
    end

    if present then indexes[command[INDEX]][command[KEY]] = present end
    if command[AWAITED] == 1 then awaited[last_id] = result end
    if result ~= REPLACED and result ~= CREATED and result ~= DELETED then
      local outcome = string.match(result, '^%a+')
      if outcome == 'dead' then
        dead, logged = dead + 1, true
        park(dead_key, outcomes_key, command, body, string.sub(result, 6))
      elseif outcome == 'rejected' or string.sub(result, 9, 15) == 'counted' then
        if outcome == 'rejected' then rejected = rejected + 1 end
        logged = true
        note(outcomes_key, last_id, 'o', result)
      end
    end
  end

  for index, members in ipairs(indexes) do update_index(keys[4 + index], members) end
  producers:close()
  if logged then
    local oldest_ms = time_of(last_id) - OUTCOME_RETENTION_MS
    if oldest_ms > 0 then redis.call('XTRIM', outcomes_key, 'MINID', '~', string.format('%.0f-0', oldest_ms)) end
  end
  local record = string.format('%s %.0f', last_id, last_ordinal)
  redis.call('SET', keys[1], record)
  redis.call('PUBLISH', args[2], cjson.encode({ watermark = record, results = awaited }))
  return { 'OK', record, rejected, dead, producers.repeated, producers.jumped }
end
