-- apply: moves a partition's store from one watermark to a later one, with everything that belongs to it.
--
-- KEYS  1 watermark, 2 producers, 3 outcomes, 4 dead, 5 letters, 6 letters' order, 7 tracks of keys with letters,
--       8 expiries, 9 idempotency, 10 usage, then index keys, then each command's value key, a
--       transaction's value keys
-- ARGV  1 expected watermark record, 2 channel, 3 number of index keys, 4 the commands as one JSON array, 5 their bodies,
--       one after the other (one long argument costs far less than many short ones), 6 the namespaces of the index keys as a
--       JSON array
--       a command: [id, ordinal, operation, producer, sequence, argument, condition, awaited, index number, key, header,
--       length of its body, time], and where they say something [..., parking, id of the dead letter it settles, 1 when
--       forced, expiry, metadata, idempotency key, fingerprint]
--       operation: put (argument = content type) | delete | increment (argument = by) | patch | expire | discard | park
--       (argument = reason) | txn (argument: see transactions.lua)
--       parking: block, so that later commands of the key wait behind it should it fail; else empty
--       expiry: see expiry_of in operations.lua; empty: what the operation does by itself
-- Reply { 'OK', new watermark record, rejected, dead, repeated, jumped, then id and result of the first of those that were
--         rejected and of those that are dead, ENDED_TOLD_MAX of each }, or, with nothing changed:
--       { 'MISMATCH', stored watermark record }   another owner was here, or the store went back
--       { 'GAP', stored watermark record, id }    the log jumps over entries at id: some are lost
--       { 'REGRESSED', stored watermark record, id }  the log counts again what is applied: it went back
--
-- The watermark record is '<id> <ordinal>'. Rules: R1, only from exactly the expected watermark, and only over
-- consecutive ordinals; R4, a producer's repeated sequence has no effect, a jump in it is counted as lost writes.
-- Every command runs under pcall, because a function is no transaction: one that raises an error goes to the dead
-- letters, in this call, under its own id, and the rest goes on. A command writes at most once, as its last step, so
-- an error leaves nothing of it behind; a transaction writes its keys one after the other when all of it is planned. By then nothing
-- can fail: every key was read, so its type is ours, and Redis refuses for want of memory, of replicas or of a disk before a
-- function's first write or not at all. A replay of a dead letter runs as the command it replays; its letter is removed,
-- or learns of the failure, in the same call. No clock and no randomness: the same log gives the same store. Time is the
-- commands' own and never goes back (see Producers): a key that has expired by it is as if it were not there.

-- watermark, producers, outcomes, dead, letters, order, tracks, expiries, idempotency, usage
local OWN_TYPES = { 'string', 'hash', 'stream', 'stream', 'hash', 'zset', 'hash', 'zset', 'hash', 'hash' }
local EXPIRIES_KEY, IDEMPOTENCY_KEY, USAGE_KEY = 8, 9, 10

-- Of these nothing is noted: the watermark says that they were applied.
local PLAIN = { [CREATED] = true, [REPLACED] = true, [DELETED] = true, [EXPIRED] = true, ['applied discarded'] = true }

-- A sorted set's members and their scores; false: not a member any more.
local function update_sorted(key, members)
  local added, removed = {}, {}
  for member, score in pairs(members) do
    if score then
      added[#added + 1] = score
      added[#added + 1] = member
    else
      removed[#removed + 1] = member
    end
  end
  for i = 1, #added, 2 * MEMBERS_PER_CALL do
    redis.call('ZADD', key, unpack(added, i, math.min(i + 2 * MEMBERS_PER_CALL - 1, #added)))
  end
  for i = 1, #removed, MEMBERS_PER_CALL do
    redis.call('ZREM', key, unpack(removed, i, math.min(i + MEMBERS_PER_CALL - 1, #removed)))
  end
end

-- What each namespace holds more, or less, than before this batch: bytes of keys and values.
local function update_usage(key, namespaces, changes)
  for index, namespace in ipairs(namespaces) do
    local change = changes[index]
    -- A field that is not ours to count must not leave half a batch behind.
    if change ~= 0 and redis.pcall('HINCRBY', key, namespace, string.format('%.0f', change)) == 0 then
      redis.call('HDEL', key, namespace)
    end
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

-- What was applied under this idempotency key before, or nil; noted under the first one's id.
local function duplicate_of(idempotency_key, command)
  local first = redis.call('HGET', idempotency_key, command[IDEMPOTENCY])
  if not first then return nil end
  local id, fingerprint = string.match(first, '^(%S+) (%S+)$')
  if fingerprint == command[FINGERPRINT] then return 'applied duplicate ' .. id end
  return 'rejected idempotency-mismatch ' .. id
end

-- Outcomes older than this id go, and with them what is known of their idempotency keys; at most so many a call.
local function forget_outcomes(outcomes_key, idempotency_key, oldest, count)
  local rows = redis.call('XRANGE', outcomes_key, '-', '(' .. oldest, 'COUNT', count)
  if #rows == 0 then return end
  for _, row in ipairs(rows) do
    if row[2][3] == 'i' then redis.call('HDEL', idempotency_key, row[2][4]) end
  end
  local upper = oldest
  if #rows == count then upper = id_after(rows[count][1]) end
  redis.call('XTRIM', outcomes_key, 'MINID', upper)
end

-- One call's work on one partition: what it changes beside values is gathered, and written at the end.
local Batch = {}
Batch.__index = Batch

-- How much more a namespace holds; called before the key is written. `record` false: the key goes.
function Batch:count(index, key, value_key, record, head)
  local change = 0
  if record then change = #key + #record - string.find(record, '\n', 1, true) end
  if head then change = change - #key - redis.call('STRLEN', value_key) + head.size end
  self.usage[index] = self.usage[index] + change
end

-- Writes what was planned for a key; `record` nil: it stays as it is.
function Batch:commit(index, key, value_key, record, expires, head)
  if record == nil then return end
  self:count(index, key, value_key, record, head)
  if record then redis.call('SET', value_key, record) else redis.call('DEL', value_key) end
  if not record then
    self.indexes[index][key] = false
  elseif not head then
    self.indexes[index][key] = 0
  end
  if expires or (head and head.expires) or self.expiries[value_key] then self.expiries[value_key] = expires or false end
end

-- `target`: the command's value key, or a transaction's keys.
function Batch:attempt(command, target, body, now)
  local letters = self.letters
  if command[LETTER] and command[LETTER] ~= '' then
    local verdict = letters:judge(command, target)
    if verdict then return verdict end
    if command[OPERATION] == 'discard' then return 'applied discarded' end
  elseif letters.tracking then
    local blocker = letters:blocker(target)
    if blocker then return 'dead blocked by ' .. blocker end
  end
  if is_transaction(command) then
    local result, changes = plan_transaction(command, target, body, now)
    for _, change in ipairs(changes or {}) do
      self:commit(command[INDEX], change.key, change.value_key, change.record, change.expires, change.head)
    end
    return result
  end
  local result, record, expires, head = plan(command, target, body, now)
  self:commit(command[INDEX], command[KEY], target, record, expires, head)
  return result
end

-- An expiry removes what has expired by the time of the log, whoever waits for whom; it is no write that a dead letter would
-- yield to, and never becomes one. What is not due, or does not expire any more, is set right in the list of expiries.
function Batch:expire(command, value_key, now)
  local ok, head = pcall(read_head, value_key)
  local expires = ok and head and head.expires or false
  if not expires or expires > now then
    self.expiries[value_key] = expires
    return ABSENT
  end
  self:count(command[INDEX], command[KEY], value_key, false, head)
  redis.call('DEL', value_key)
  self.indexes[command[INDEX]][command[KEY]] = false
  self.expiries[value_key] = false
  return EXPIRED
end

function Batch:note(id, result, command)
  self.noted = true
  local idempotency = command[IDEMPOTENCY]
  if idempotency and string.sub(result, 1, 17) ~= 'applied duplicate' and
    string.sub(result, 1, 29) ~= 'rejected idempotency-mismatch' then
    redis.call('HSET', self.keys[IDEMPOTENCY_KEY], idempotency, id .. ' ' .. command[FINGERPRINT])
    return note(self.keys[3], id, 'o', result, 'i', idempotency)
  end
  return note(self.keys[3], id, 'o', result)
end

-- Result of one command, which is nowhere if it failed.
function Batch:run(command, target, body)
  local now = self.producers:at(command[TIME])
  if command[OPERATION] == 'park' then return 'dead ' .. command[ARGUMENT] end
  if self.producers:repeats(command[PRODUCER], command[SEQUENCE], command[ID], command[HEADER]) then return REPEATED end
  local duplicate = command[IDEMPOTENCY] and duplicate_of(self.keys[IDEMPOTENCY_KEY], command)
  if duplicate then return duplicate end
  if command[OPERATION] == 'expire' then return self:expire(command, target, now) end
  local ok, result = pcall(self.attempt, self, command, target, body, now)
  if not ok then result = 'dead ' .. error_text(result) end
  return result
end

-- What follows from a result for dead letters and outcomes.
function Batch:settle(command, target, body, result)
  local id, letters = command[ID], self.letters
  local letter = command[LETTER] and command[LETTER] ~= ''
  if result ~= REPEATED then
    if letter then
      letters:settle(command, target, result)
    elseif letters.tracking and command[OPERATION] ~= 'expire' and string.sub(result, 1, 7) == 'applied' and
      string.sub(result, 1, 17) ~= 'applied duplicate' then
      letters:wrote(target, id)
    end
  end
  if PLAIN[result] and not command[IDEMPOTENCY] then return end
  local outcome = string.match(result, '^%a+')
  if outcome == 'rejected' or outcome == 'dead' then
    self[outcome] = self[outcome] + 1
    if self[outcome] <= ENDED_TOLD_MAX then
      self.ended[#self.ended + 1] = id
      self.ended[#self.ended + 1] = result
    end
  end
  if outcome == 'dead' then
    if not letter then letters:park(command, target, body, string.sub(result, 6)) end
  end
  self:note(id, result, command)
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

  local key_at = #OWN_TYPES + index_count + 1
  local batch = setmetatable({ keys = keys, producers = Producers.open(keys[2]), letters = Letters.open(keys, 4),
    indexes = {}, usage = {}, expiries = {}, rejected = 0, dead = 0, ended = {}, noted = false }, Batch)
  batch.letters:load(keys, key_at)
  local awaited, last_id = {}, nil
  local bodies, body_at = args[5], 1
  for i = 1, index_count do batch.indexes[i], batch.usage[i] = {}, 0 end

  for _, command in ipairs(commands) do
    local body = string.sub(bodies, body_at, body_at + command[LENGTH] - 1)
    local target
    if is_transaction(command) then
      target, key_at = keys_from(command, keys, key_at)
    else
      target = command[OPERATION] == 'park' and '' or keys[key_at]
      key_at = key_at + 1
    end
    body_at = body_at + command[LENGTH]
    last_id = command[ID]
    if command[ORDINAL] ~= 0 then last_ordinal = command[ORDINAL] end
    local result = batch:run(command, target, body)
    if command[AWAITED] == 1 then awaited[last_id] = result end
    batch:settle(command, target, body, result)
  end

  for index, members in ipairs(batch.indexes) do update_sorted(keys[#OWN_TYPES + index], members) end
  update_sorted(keys[EXPIRIES_KEY], batch.expiries)
  update_usage(keys[USAGE_KEY], cjson.decode(args[6]), batch.usage)
  batch.producers:close()
  if batch.noted then
    local oldest_ms = time_of(last_id) - OUTCOME_RETENTION_MS
    if oldest_ms > 0 then
      forget_outcomes(keys[3], keys[IDEMPOTENCY_KEY], string.format('%.0f-0', oldest_ms), 2 * #commands + 16)
    end
  end
  local record = string.format('%s %.0f', last_id, last_ordinal)
  redis.call('SET', keys[1], record)
  redis.call('PUBLISH', args[2], cjson.encode({ watermark = record, results = awaited }))
  return { 'OK', record, batch.rejected, batch.dead, batch.producers.repeated, batch.producers.jumped,
    unpack(batch.ended) }
end
