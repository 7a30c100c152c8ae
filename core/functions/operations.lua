-- What a command does to its key. Planned first, from what is there; then written at once, as the last step: an error
-- leaves nothing behind.
--
-- The fields of a command, as apply.lua describes them; those after the time are there only where they say something.

local ID, ORDINAL, OPERATION, PRODUCER, SEQUENCE, ARGUMENT, CONDITION, AWAITED, INDEX, KEY, HEADER, LENGTH, TIME = 1, 2, 3,
  4, 5, 6, 7, 8, 9, 10, 11, 12, 13
local PARKING, LETTER, FORCE, EXPIRY, METADATA, IDEMPOTENCY, FINGERPRINT = 14, 15, 16, 17, 18, 19, 20
local CREATED, REPLACED, DELETED, EXPIRED = 'applied created', 'applied replaced', 'applied deleted', 'applied expired'
local ABSENT, REPEATED = 'applied absent', 'applied repeated'

-- Almost every attribute line is shorter than the one, and each is than the other.
local HEAD_BYTES, HEAD_MAX_BYTES = 128, 4096

-- What stands before a key's value, or nil where there is no such key: { id, expires: ms or nil, attributes: the line
-- from its first tab on, size: of the line, with its end }. Raises where the store holds something else.
local function read_head(value_key)
  local head = redis.call('GETRANGE', value_key, 0, HEAD_BYTES - 1)
  if head == '' then return nil end
  local id, attributes, size = string.match(head, '^(%d+%-%d+)(\t[^\n]*)\n()')
  if not id and #head == HEAD_BYTES then
    id, attributes, size = string.match(redis.call('GETRANGE', value_key, 0, HEAD_MAX_BYTES - 1), '^(%d+%-%d+)(\t[^\n]*)\n()')
  end
  if not id then error('the store holds something that is not a value of ours', 0) end
  local expires
  if string.find(attributes, '\t', 2, true) then expires = tonumber(string.match(attributes, '\te(%d+)')) end
  return { id = id, expires = expires, attributes = attributes, size = size - 1 }
end

local function content_type_of(head)
  return string.match(head.attributes, '^\t([^\t]*)')
end

local function metadata_of(head)
  return string.match(head.attributes, '\tm(.*)$')
end

-- Is the condition met by a key as it stands now (nil: no such key)?
local function met(condition, current)
  local wanted = string.sub(condition, 2)
  local same = current ~= nil and (wanted == '*' or wanted == current.id)
  return same == (string.sub(condition, 1, 1) == '=')
end

-- When the key expires after this command, or nil: 'k' as before, '+<ms>' from now, '<ms>' since the epoch.
local function expiry_of(spec, current, now)
  if spec == 'k' then return current and current.expires end
  if string.sub(spec, 1, 1) == '+' then return now + tonumber(string.sub(spec, 2)) end
  return tonumber(spec)
end

local function record_of(command, content_type, expires, metadata, body)
  local line = command[ID] .. '\t' .. content_type
  if expires then line = string.format('%s\te%.0f', line, expires) end
  if metadata then line = line .. '\tm' .. metadata end
  return line .. '\n' .. body
end

-- What becomes of a key whose value alone changes: type and metadata stay, the expiry unless the command says otherwise.
local function changed_of(command, current, now, default_type, body)
  local spec = command[EXPIRY]
  if not current then
    local expires = spec and spec ~= '' and expiry_of(spec, nil, now) or nil
    return record_of(command, default_type, expires, nil, body), expires
  end
  local expires = current.expires
  if spec and spec ~= '' then expires = expiry_of(spec, current, now) end
  return record_of(command, content_type_of(current), expires, metadata_of(current), body), expires
end

-- Each returns its result as text (see parseResult in apply.ts); and, where the key changes, its new record, or false where
-- it goes, and when that expires. `current` is the key as it stands, or nil.
local operations = {}

function operations.put(command, current, body, now)
  local result = current and REPLACED or CREATED
  if not command[EXPIRY] then return result, command[ID] .. '\t' .. command[ARGUMENT] .. '\n' .. body end
  local expires, metadata = nil, command[METADATA]
  if command[EXPIRY] ~= '' then expires = expiry_of(command[EXPIRY], current, now) end
  return result, record_of(command, command[ARGUMENT], expires, metadata ~= '' and metadata or nil, body), expires
end

function operations.delete(_, current)
  if not current then return ABSENT end
  return DELETED, false
end

function operations.increment(command, current, _, now, value_key)
  local before = '0'
  -- One character more than the longest integer: what is longer is none.
  if current then before = redis.call('GETRANGE', value_key, current.size, current.size + 20) end
  local after = add(before, command[ARGUMENT])
  if after == nil then return 'rejected not-an-integer' end
  if after == false then return 'rejected increment-overflow' end
  return 'applied counted ' .. after, changed_of(command, current, now, 'text/plain', after)
end

function operations.patch(command, current, body, now, value_key)
  local before
  if current then
    if redis.call('STRLEN', value_key) - current.size > PATCHED_VALUE_MAX_BYTES then return 'rejected too-large-to-patch' end
    before = redis.call('GETRANGE', value_key, current.size, -1)
  end
  local merged = merge_patch(before, body)
  if not merged then return 'rejected not-json' end
  if #merged > PATCHED_VALUE_MAX_BYTES then return 'rejected too-large-to-patch' end
  return current and REPLACED or CREATED, changed_of(command, current, now, 'application/json', merged)
end

-- A key as it stands at this time (nil: there is none), and the head of what is there, expired or not.
local function standing(value_key, now)
  local head = read_head(value_key)
  if head and head.expires and head.expires <= now then return nil, head end
  return head, head
end

-- What a command would do to its key at this time: result, new record, its expiry, and the head of what is there. Writes
-- nothing. A forced replay is the operator's word against the condition, too.
local function plan(command, value_key, body, now)
  local current, head = standing(value_key, now)
  local condition = command[CONDITION]
  if condition ~= '' and command[FORCE] ~= 1 and not met(condition, current) then return 'rejected condition-not-met' end
  local result, record, expires = operations[command[OPERATION]](command, current, body, now, value_key)
  return result, record, expires, head
end

local function error_text(reason)
  if type(reason) == 'table' then reason = reason.err or 'error' end
  return string.sub(tostring(reason), 1, 300)
end
