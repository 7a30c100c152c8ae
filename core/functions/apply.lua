-- apply: moves a partition's store from one watermark to a later one, with everything that belongs to it.
--
-- KEYS  1 watermark, 2 producers, 3 outcomes, 4 dead, 5 letters, 6 letters' order, 7 tracks of keys with letters, then index
--       keys, then each command's value key
-- ARGV  1 expected watermark record, 2 channel, 3 number of index keys, 4 the commands as one JSON array, 5 their bodies,
--       one after the other (one long argument costs far less than many short ones)
--       a command: [id, ordinal, operation, producer, sequence, argument, condition, awaited, index number, key, header,
--       length of its body], and where it says something [..., parking, id of the dead letter it settles, 1 when forced]
--       operation: put (argument = content type) | delete | increment (argument = by) | park (argument = reason) | discard
--       parking: block, so that later commands of the key wait behind it should it fail; else empty
-- Reply { 'OK', new watermark record, rejected, dead, repeated, jumped }, or, with nothing changed:
--       { 'MISMATCH', stored watermark record }   another owner was here, or the store went back
--       { 'GAP', stored watermark record, id }    the log jumps over entries at id: some are lost
--       { 'REGRESSED', stored watermark record, id }  the log counts again what is applied: it went back
--
-- The watermark record is '<id> <ordinal>'. Rules: R1, only from exactly the expected watermark, and only over
-- consecutive ordinals; R4, a producer's repeated sequence has no effect, a jump in it is counted as lost writes.
-- Every command runs under pcall, because a function is no transaction: one that raises an error goes to the dead
-- letters, in this call, under its own id, and the rest goes on. A command writes at most once, as its last step, so
-- an error leaves nothing of it behind. A replay of a dead letter runs as the command it replays; its letter is removed,
-- or learns of the failure, in the same call. No clock and no randomness: the same log gives the same store.

-- watermark, producers, outcomes, dead, letters, order, tracks
local OWN_TYPES = { 'string', 'hash', 'stream', 'stream', 'hash', 'zset', 'hash' }

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
  for i = 1, #OWN_TYPES + index_count do
    local found = redis.call('TYPE', keys[i]).ok
    if found ~= 'none' and found ~= (OWN_TYPES[i] or 'zset') then return keys[i] end
  end
end

local function attempt(letters, command, value_key, body)
  if command[LETTER] then
    local verdict = letters:judge(command, value_key)
    if verdict then return verdict end
    if command[OPERATION] == 'discard' then return 'applied discarded' end
  elseif letters.tracking then
    local blocker = letters:blocker(value_key)
    if blocker then return 'dead blocked by ' .. blocker end
  end
  return run(command, value_key, body)
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

  local outcomes_key, values_from = keys[3], #OWN_TYPES + index_count
  local producers, letters = Producers.open(keys[2]), Letters.open(keys, 4)
  letters:load(keys, values_from + 1)
  local indexes, awaited, last_id = {}, {}, nil
  local rejected, dead, logged = 0, 0, false
  local bodies, body_at = args[5], 1
  for i = 1, index_count do indexes[i] = {} end

  for i, command in ipairs(commands) do
    local body, result, present = string.sub(bodies, body_at, body_at + command[LENGTH] - 1), nil, nil
    local value_key, letter = keys[values_from + i], command[LETTER]
    body_at = body_at + command[LENGTH]
    last_id = command[ID]
    if command[ORDINAL] ~= 0 then last_ordinal = command[ORDINAL] end
    if command[OPERATION] == 'park' then
      value_key, result = '', 'dead ' .. command[ARGUMENT]
    elseif producers:repeats(command[PRODUCER], command[SEQUENCE], last_id, command[HEADER]) then
      result = REPEATED
    else
      local ok
      ok, result, present = pcall(attempt, letters, command, value_key, body)
      if not ok then result, present = 'dead ' .. error_text(result), nil end
    end

    if present then indexes[command[INDEX]][command[KEY]] = present end
    if command[AWAITED] == 1 then awaited[last_id] = result end
    if result ~= REPEATED then
      if letter then
        letters:settle(command, value_key, result)
      elseif letters.tracking and string.sub(result, 1, 7) == 'applied' then
        letters:wrote(value_key, last_id)
      end
    end
    if result ~= REPLACED and result ~= CREATED and result ~= DELETED then
      local outcome = string.match(result, '^%a+')
      if outcome == 'dead' then
        dead, logged = dead + 1, true
        if not letter then letters:park(command, value_key, body, string.sub(result, 6)) end
        note(outcomes_key, last_id, 'o', result)
      elseif outcome == 'rejected' or string.sub(result, 9, 15) == 'counted' then
        if outcome == 'rejected' then rejected = rejected + 1 end
        logged = true
        note(outcomes_key, last_id, 'o', result)
      end
    end
  end

  for index, members in ipairs(indexes) do update_index(keys[#OWN_TYPES + index], members) end
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
