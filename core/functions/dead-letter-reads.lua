-- Reading dead letters. Nothing here writes.

-- What stands in the stream of a letter: { id, first reason, header, body, state }, or nil when it is none of ours.
local function letter_of(entry, letters_key)
  local fields, values = entry[2], {}
  for i = 1, #fields, 2 do values[fields[i]] = fields[i + 1] end
  local id = values.id or entry[1]
  local state = redis.call('HGET', letters_key, id)
  if not state or not values.v1 then return nil end
  return { id, values.reason or '', values.v1, values.b or '', state }
end

-- Header and body of a letter that is there.
function Letters:read(id)
  local at = self:find(id).at
  local letter = letter_of(redis.call('XRANGE', self.dead, at, at)[1], self.letters)
  return letter[3], letter[4]
end

-- list_letters: a page of a partition's letters, oldest first, without their values.
--
-- KEYS  1 dead, 2 letters
-- ARGV  1 id in the stream after which to begin, 2 entries to look at, 3 bytes of values to look at: the page ends behind
--       the entry that passes them
-- Reply { id in the stream of the last entry looked at, or '' at the end; for each letter { id, first reason, header,
--       length of its value, state, its id in the stream } }
local function list_letters(keys, args)
  local after, left, bytes_left = args[1], tonumber(args[2]), tonumber(args[3])
  local found = {}
  while left > 0 and bytes_left > 0 do
    local page = redis.call('XRANGE', keys[1], '(' .. after, '+', 'COUNT', math.min(left, 16))
    if #page == 0 then return { '', found } end
    for _, entry in ipairs(page) do
      after = entry[1]
      local letter = letter_of(entry, keys[2])
      if letter then
        bytes_left = bytes_left - #letter[4]
        letter[4], letter[6] = #letter[4], after
        found[#found + 1] = letter
      end
    end
    left = left - #page
  end
  return { after, found }
end

-- read_letter: one letter with its value.
--
-- KEYS  1 dead, 2 letters, 3 outcomes
-- ARGV  1 id
-- Reply { id, first reason, header, value, state }, or 'GONE' when it was one, or 'NONE'
local function read_letter(keys, args)
  local state = redis.call('HGET', keys[2], args[1])
  if state then
    local at = cjson.decode(state)[3]
    local entry = redis.call('XRANGE', keys[1], at, at)[1]
    if entry then return letter_of(entry, keys[2]) end
  end
  local outcome = redis.call('XRANGE', keys[3], args[1], args[1])[1]
  return outcome and string.sub(outcome[2][2], 1, 5) == 'dead ' and 'GONE' or 'NONE'
end

-- foresee_replays: what replays, in this order, would come to now. A condition is judged by the key as it is now.
--
-- KEYS  1 dead, 2 letters, 3 letters' order, 4 tracks, then each replay's value keys
-- ARGV  1 the replays as one JSON array, each [id of the letter, operation, argument, condition, 1 when forced], 2 time, ms
-- Reply for each a result as apply would write it; 'applied' where nothing stands in the way
local function foresee_replays(keys, args)
  local letters, settled, results, key_at = Letters.open(keys, 1), {}, {}, 5
  for i, replay in ipairs(cjson.decode(args[1])) do
    local command = { [ID] = replay[1], [LETTER] = replay[1], [OPERATION] = replay[2], [ARGUMENT] = replay[3], [CONDITION] = replay[4],
      [FORCE] = replay[5] }
    local target
    if is_transaction(command) then
      target, key_at = keys_from(command, keys, key_at)
    else
      target, key_at = keys[key_at], key_at + 1
    end
    local ok, result = pcall(function()
      return letters:judge(command, target, settled) or
        foresee(command, target, tonumber(args[2]), function() return letters:read(replay[1]) end)
    end)
    if not ok then result = 'dead ' .. error_text(result) end
    if not result then
      for _, value_key in ipairs(changed_keys(target)) do settled[value_key] = (settled[value_key] or 0) + 1 end
    end
    results[i] = result or 'applied'
  end
  return results
end
