-- Dead letters: the commands of a partition that could not be applied, and what must be known of their keys.
--
-- dead     stream: each letter under its command's own id. Never changed, only removed
-- letters  hash: by a letter's id what may change, a JSON array [bytes, attempts, its id in the stream, its value key
--          (empty: of no key; a list: of those that a transaction changes), id of the last replay that failed, that one's reason]; @bytes is the sum
-- order    sorted set, score 0: '<length of the value key>:<value key><id with leading zeros>': a key's letters in order
-- tracks   hash: by value key, while the key has letters: '<1 when blocked, else 0> <id of the last write since, or ->'
--
-- A letter is of the keys that its command changes: it holds them up, and yields to their writes. A key that a transaction only
-- looks at holds the transaction up, and not the other way round: its conditions are judged again.
--
-- A write counts at its place in the log, a replay at the place of its letter: so the letters of a key can be replayed one
-- after the other, and each yields to what was written after it. Nothing is kept of keys that have no letters: where
-- `tracks` is empty, one look a call is all that this costs.
-- All of it is done in the call that applies the command; types are looked at before (see apply.lua), so nothing raises.

-- unpack fails near 8,000 values.
local MEMBERS_PER_CALL = 500

-- Under the command's own id, so never twice. Never raises: should somebody have pushed the stream's last id ahead, the
-- entry goes to its end and names the id. Returns the id it has in the stream.
local function note(stream, id, ...)
  local at = redis.pcall('XADD', stream, id, ...)
  if type(at) == 'table' then at = redis.pcall('XADD', stream, '*', 'id', id, ...) end
  return type(at) == 'string' and at or ''
end

local function id_after(id)
  local ms, seq = string.match(id, '^(%d+)%-(%d+)$')
  return string.format('%s-%.0f', ms, tonumber(seq) + 1)
end

local function newer(a, b)
  local a_ms, a_seq = string.match(a, '^(%d+)%-(%d+)$')
  local b_ms, b_seq = string.match(b, '^(%d+)%-(%d+)$')
  if a_ms ~= b_ms then return tonumber(a_ms) > tonumber(b_ms) end
  return tonumber(a_seq) > tonumber(b_seq)
end

local function prefix_of(value_key)
  return string.format('%d:', #value_key) .. value_key
end

local function place_of(value_key, id)
  local ms, seq = string.match(id, '^(%d+)%-(%d+)$')
  return prefix_of(value_key) .. string.format('%016.0f-%016.0f', tonumber(ms), tonumber(seq))
end

-- Of what letters call `target`: a command's value key (empty: it has none), or a transaction's keys.
local function changed_keys(target)
  if type(target) == 'table' then return { unpack(target, 1, target.changed) } end
  return target == '' and {} or { target }
end

local function named_keys(target)
  return type(target) == 'table' and target or changed_keys(target)
end

local function same_keys(a, b)
  for i = 1, math.max(#a, #b) do
    if a[i] ~= b[i] then return false end
  end
  return true
end

local Letters = {}
Letters.__index = Letters

-- `keys`: dead, letters, order, tracks, beginning at `first`.
function Letters.open(keys, first)
  local self = { dead = keys[first], letters = keys[first + 1], order = keys[first + 2], hash = keys[first + 3] }
  -- Are there tracks in the store, of which this call may not know all? Is there any?
  self.stored = redis.call('HLEN', self.hash) > 0
  self.tracking = self.stored
  self.tracks = {}
  return setmetatable(self, Letters)
end

local function parse_track(text)
  if not text then return false end
  local blocked, last = string.match(text, '^(%d) (%S+)$')
  return { blocked = blocked == '1', last = last ~= '-' and last or nil }
end

-- Reads what is known of these keys at once, where anything is.
function Letters:load(value_keys, from)
  if not self.stored then return end
  for i = from, #value_keys, MEMBERS_PER_CALL do
    local upper = math.min(i + MEMBERS_PER_CALL - 1, #value_keys)
    local found = redis.call('HMGET', self.hash, unpack(value_keys, i, upper))
    for n = i, upper do self.tracks[value_keys[n]] = parse_track(found[n - i + 1]) end
  end
end

-- What is known of a key, or false when it has no letters.
function Letters:track(value_key)
  local track = self.tracks[value_key]
  if track ~= nil then return track end
  track = self.stored and parse_track(redis.call('HGET', self.hash, value_key)) or false
  self.tracks[value_key] = track
  return track
end

function Letters:save(value_key, track)
  self.tracks[value_key], self.tracking = track, true
  redis.call('HSET', self.hash, value_key, (track.blocked and '1 ' or '0 ') .. (track.last or '-'))
end

-- The oldest letter of a key, `skipped` of them left out; or nil.
function Letters:first(value_key, skipped)
  local prefix = prefix_of(value_key)
  -- A colon comes right after the digits.
  local place = redis.call('ZRANGEBYLEX', self.order, '[' .. prefix, '(' .. prefix .. ':', 'LIMIT', skipped or 0, 1)[1]
  if not place then return nil end
  local ms, seq = string.match(place, '(%d+)%-(%d+)$', #prefix + 1)
  return string.format('%.0f-%.0f', tonumber(ms), tonumber(seq))
end

function Letters:find(id)
  local text = redis.call('HGET', self.letters, id)
  if not text then return nil end
  local state = cjson.decode(text)
  local keys = type(state[4]) == 'table' and state[4] or changed_keys(state[4])
  return { bytes = state[1], attempts = state[2], at = state[3], keys = keys, last = state[5], reason = state[6] }
end

function Letters:write(id, letter)
  local keys = #letter.keys > 1 and letter.keys or letter.keys[1] or ''
  redis.call('HSET', self.letters, id,
    cjson.encode({ letter.bytes, letter.attempts, letter.at, keys, letter.last, letter.reason }))
end

function Letters:park(command, target, body, reason)
  local id, header = command[ID], command[HEADER]
  local at = note(self.dead, id, 'reason', reason, 'attempts', '1', 'v1', header, 'b', body)
  local bytes = #header + #body
  local keys = changed_keys(target)
  self:write(id, { bytes = bytes, attempts = 1, at = at, keys = keys, last = '', reason = '' })
  redis.call('HINCRBY', self.letters, '@bytes', string.format('%d', bytes))
  if #keys == 0 then redis.call('ZADD', self.order, 0, place_of('', id)) end
  for _, value_key in ipairs(keys) do
    redis.call('ZADD', self.order, 0, place_of(value_key, id))
    local track = self:track(value_key) or { blocked = false }
    track.blocked = track.blocked or command[PARKING] == 'block'
    self:save(value_key, track)
  end
end

-- The letter that a new command has to wait behind, or nil.
function Letters:blocker(target)
  for _, value_key in ipairs(named_keys(target)) do
    local track = self:track(value_key)
    local first = track and track.blocked and self:first(value_key)
    if first then return first end
  end
end

-- Why a letter cannot be replayed or discarded now, or nil. `settled`: by key, so many of its letters are thought away.
function Letters:judge(command, target, settled)
  local id = command[LETTER]
  local letter = self:find(id)
  if not letter then return 'rejected dead-letter-gone' end
  if command[OPERATION] == 'discard' then return nil end
  if not same_keys(letter.keys, changed_keys(target)) then error('the dead letter is of another key', 0) end
  if command[FORCE] == 1 then return nil end
  for _, value_key in ipairs(letter.keys) do
    local track = self:track(value_key)
    if track and track.last and newer(track.last, id) then return 'rejected newer-write ' .. track.last end
  end
  for _, value_key in ipairs(named_keys(target)) do
    local track = self:track(value_key)
    local first = track and track.blocked and self:first(value_key, settled and settled[value_key])
    if first and newer(id, first) then return 'rejected older-letter-first ' .. first end
  end
end

-- A command had its effect on its keys, at this place of the log.
function Letters:wrote(target, id)
  for _, value_key in ipairs(changed_keys(target)) do
    local track = self:track(value_key)
    if track and (not track.last or newer(id, track.last)) then
      track.last = id
      self:save(value_key, track)
    end
  end
end

function Letters:remove(id)
  local letter = self:find(id)
  if letter.at ~= '' then redis.call('XDEL', self.dead, letter.at) end
  redis.call('HDEL', self.letters, id)
  redis.call('HINCRBY', self.letters, '@bytes', string.format('%d', -letter.bytes))
  if #letter.keys == 0 then redis.call('ZREM', self.order, place_of('', id)) end
  for _, value_key in ipairs(letter.keys) do
    redis.call('ZREM', self.order, place_of(value_key, id))
    if not self:first(value_key) then
      self.tracks[value_key] = false
      redis.call('HDEL', self.hash, value_key)
    end
  end
end

local UNTRIED = { ['dead-letter-gone'] = true, ['newer-write'] = true, ['older-letter-first'] = true }

-- What follows from the result of a replay or a discard. One that was tried in vain keeps the letter and its first
-- error; one that was not even tried changes nothing.
function Letters:settle(command, target, result)
  local id = command[LETTER]
  local outcome, reason = string.match(result, '^(%a+) (.*)$')
  if outcome == 'applied' then
    if command[OPERATION] ~= 'discard' then self:wrote(target, id) end
    return self:remove(id)
  end
  if outcome == 'rejected' and UNTRIED[string.match(reason, '^%S+')] then return end
  local letter = self:find(id)
  if not letter then return end
  letter.attempts, letter.last, letter.reason = letter.attempts + 1, command[ID], reason
  self:write(id, letter)
end
