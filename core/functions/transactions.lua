-- A transaction: several keys, all of its changes or none. Everything is planned first, from what is there; nothing is
-- written while anything may still be refused.
--
-- Its argument: [number of its keys, how many of them it changes, conditions, steps]. Those that it changes come first.
--   a condition: [number of its key, what its revision must be, or the length of the value that it must have]
--   a step: [key, operation, argument, length of its value, and where they say something expiry, metadata]; the first one
--   changes the first key, and so on: no key is changed twice, so no step sees what another does
-- Its body: the values of conditions, then those of steps, one after the other.
-- Its keys, as this library passes them on: a list of value keys; `changed` says how many of them it changes.

local KEY_COUNT, CHANGED_COUNT, CONDITIONS, STEPS = 1, 2, 3, 4

local function is_transaction(command)
  return command[OPERATION] == 'txn'
end

-- A transaction's keys, which begin at this place among all; and the place after them.
local function keys_from(command, keys, at)
  local argument = command[ARGUMENT]
  local after = at + argument[KEY_COUNT]
  local own = { changed = argument[CHANGED_COUNT] }
  for i = at, after - 1 do own[#own + 1] = keys[i] end
  return own, after
end

-- What a part raises tells which part it was.
local function in_part(place, run, ...)
  local ok, a, b, c, d = pcall(run, ...)
  if not ok then error(place .. ': ' .. error_text(a), 0) end
  return a, b, c, d
end

local function has_value(value_key, current, value)
  return current ~= nil and redis.call('STRLEN', value_key) - current.size == #value
    and redis.call('GETRANGE', value_key, current.size, -1) == value
end

-- Takes values from a body, one after the other. Without a body they are as good as empty: see foresee.
local function values_of(body)
  local at = 1
  return function(length, operation)
    if not body then return operation == 'patch' and '{}' or '' end
    at = at + length
    return string.sub(body, at - length, at - 1)
  end
end

-- The first condition that is not met, counted from 0; or nil.
local function unmet(conditions, keys, take, now)
  for i, condition in ipairs(conditions) do
    local value_key, wanted, place = keys[condition[1]], condition[2], string.format('/if/%d', i - 1)
    local current = in_part(place, standing, value_key, now)
    local holds
    if type(wanted) == 'number' then
      holds = has_value(value_key, current, take(wanted))
    else
      holds = met(wanted, current)
    end
    if not holds then return place end
  end
end

-- What a transaction would do at this time: its result, and the changes where it is applied. Writes nothing. A forced replay is
-- the operator's word against the conditions.
local function plan_transaction(command, keys, body, now)
  local argument, take = command[ARGUMENT], values_of(body)
  if command[FORCE] == 1 then
    for _, condition in ipairs(argument[CONDITIONS]) do
      if type(condition[2]) == 'number' then take(condition[2]) end
    end
  else
    local place = unmet(argument[CONDITIONS], keys, take, now)
    if place then return 'rejected condition-not-met ' .. place end
  end
  local effects, changes = {}, {}
  for i, step in ipairs(argument[STEPS]) do
    local place = string.format('/then/%d', i - 1)
    local said = { [ID] = command[ID], [OPERATION] = step[2], [ARGUMENT] = step[3], [CONDITION] = '', [EXPIRY] = step[5],
      [METADATA] = step[6] }
    local value = take(step[4], step[2])
    local result, record, expires, head = in_part(place, plan, said, keys[i], value, now)
    if string.sub(result, 1, 8) == 'rejected' then return result .. ' ' .. place end
    effects[i] = string.gsub(string.sub(result, #'applied ' + 1), ' ', ':')
    changes[i] = { key = step[1], value_key = keys[i], record = record, expires = expires, head = head }
  end
  return 'applied committed ' .. table.concat(effects, ','), changes
end

local function compares_values(command)
  for _, condition in ipairs(command[ARGUMENT][CONDITIONS]) do
    if type(condition[2]) == 'number' then return true end
  end
  return false
end

-- Whoever reads letters without their values knows no lengths; the header in the log does.
local function set_lengths(argument, header)
  for i, condition in ipairs(argument[CONDITIONS]) do
    if type(condition[2]) == 'number' then condition[2] = header.q[i][2] end
  end
  for i, step in ipairs(argument[STEPS]) do step[4] = header.a[i].l or 0 end
end

-- What a letter's command would come to now, as far as it is no plain success; nil else. Writes nothing. Of a patch it is only
-- known whether there is something to merge into. `read` brings header and body from the log where they are wanted.
local function foresee(command, target, now, read)
  local result
  if is_transaction(command) then
    local header, body
    if compares_values(command) then
      header, body = read()
      set_lengths(command[ARGUMENT], cjson.decode(header))
    end
    result = plan_transaction(command, target, body, now)
  else
    result = plan(command, target, command[OPERATION] == 'patch' and '{}' or '', now)
  end
  return string.sub(result, 1, 8) == 'rejected' and result or nil
end
