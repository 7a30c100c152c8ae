-- What a command does to its key. Nothing here writes more than once, and only as its last step: an error leaves
-- nothing behind.
--
-- The fields of a command, as apply.lua describes them; the last three are there only where they say something.

local ID, ORDINAL, OPERATION, PRODUCER, SEQUENCE, ARGUMENT, CONDITION, AWAITED, INDEX, KEY, HEADER, LENGTH, PARKING,
  LETTER, FORCE = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
local CREATED, REPLACED, DELETED, REPEATED = 'applied created', 'applied replaced', 'applied deleted', 'applied repeated'

-- Is the condition met by a key whose present revision is `current` (nil: no such key)?
local function met(condition, current)
  local wanted = string.sub(condition, 2)
  local same = current ~= nil and (wanted == '*' or wanted == current)
  return same == (string.sub(condition, 1, 1) == '=')
end

-- The key's present revision, or nil where there is no such key. Raises where the store holds something else.
local function present_revision(value_key)
  local head = redis.call('GETRANGE', value_key, 0, 47)
  if head == '' then return nil end
  return string.match(head, '^(%d+%-%d+)\t') or error('the store holds something that is not a value of ours', 0)
end

-- The counter's new value and its content type; or nil and why not.
local function counted(value_key, exists, by)
  local before, content_type = '0', 'text/plain'
  if exists then
    local record = redis.call('GET', value_key)
    before = string.sub(record, string.find(record, '\n', 1, true) + 1)
    content_type = string.match(record, '^[^\t]*\t([^\t\n]*)')
  end
  local after = add(before, by)
  if after == nil then return nil, 'rejected not-an-integer' end
  if after == false then return nil, 'rejected increment-overflow' end
  return after, content_type
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
  local after, content_type = counted(value_key, exists, command[ARGUMENT])
  if not after then return content_type end
  redis.call('SET', value_key, command[ID] .. '\t' .. content_type .. '\n' .. after)
  return 'applied counted ' .. after, not exists and 1 or nil
end

-- A forced replay is the operator's word against the condition, too.
local function refused(command, exists)
  local condition = command[CONDITION]
  return condition ~= '' and command[FORCE] ~= 1 and not met(condition, exists)
end

local function run(command, value_key, body)
  local exists = present_revision(value_key)
  if refused(command, exists) then return 'rejected condition-not-met' end
  return operations[command[OPERATION]](command, value_key, body, exists)
end

-- What run would answer now, as far as it is no plain success; nil else. Writes nothing.
local function foresee(command, value_key)
  local exists = present_revision(value_key)
  if refused(command, exists) then return 'rejected condition-not-met' end
  if command[OPERATION] ~= 'increment' then return nil end
  local after, reason = counted(value_key, exists, command[ARGUMENT])
  return not after and reason or nil
end

local function error_text(reason)
  if type(reason) == 'table' then reason = reason.err or 'error' end
  return string.sub(tostring(reason), 1, 300)
end
