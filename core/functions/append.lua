-- append: writes one group of commands of one producer to a partition's log, once.
--
-- KEYS  1 log stream, 2 appends hash
-- ARGV  1 producer, 2 sequence of the first command, 3 channel, then for each command: header, body
-- Reply { id of the first entry, ordinal of the first entry, 1 when the group had been appended before else 0 }
--
-- The ids of a group are consecutive: the first one's, then its sequence part + 1, + 2 ... A group that is resent
-- whole (its reply was lost) changes nothing and gets its first ids back (rule R4). A group that is older than the
-- producer's last one is a ghost of a dead connection: error MRSEQUENCE, nothing written.
-- The ordinal is dense and counts what this function wrote: a gap in it is a lost entry, whatever the clocks say.
-- Fields of the appends hash: @ordinal, @last, @floor, and each producer's last group under its name.

local PRODUCER_IDLE_MAX_MS = 24 * 60 * 60 * 1000

-- A new producer comes when an api process starts: rare enough to look at all of them.
local function forget_idle_producers(appends, now_ms)
  local fields = redis.call('HGETALL', appends)
  for i = 1, #fields, 2 do
    local ms = string.match(fields[i + 1], '^%d+ %d+ (%d+)%-')
    if ms and tonumber(ms) < now_ms - PRODUCER_IDLE_MAX_MS then
      redis.call('HDEL', appends, fields[i])
    end
  end
end

local function append(keys, args)
  local log, appends = keys[1], keys[2]
  local producer, first, channel = args[1], tonumber(args[2]), args[3]
  local count = (#args - 3) / 2
  local state = redis.call('HMGET', appends, '@ordinal', producer)
  local ordinal = tonumber(state[1] or '0')

  if state[2] then
    local last_first, last_count, last_id, last_ordinal = string.match(state[2], '^(%d+) (%d+) (%S+) (%d+)$')
    if first == tonumber(last_first) and count == tonumber(last_count) then
      return { last_id, tonumber(last_ordinal), 1 }
    end
    if first < tonumber(last_first) + tonumber(last_count) then
      return redis.error_reply('MRSEQUENCE this producer is past sequence ' .. args[2])
    end
  end

  local first_id, ms, seq, last_id
  for i = 0, count - 1 do
    local header = string.format('%.0f %s', ordinal + 1 + i, args[4 + 2 * i])
    local id = i == 0 and '*' or string.format('%s-%.0f', ms, seq + i)
    last_id = redis.call('XADD', log, id, 'v1', header, 'b', args[5 + 2 * i])
    if i == 0 then
      first_id = last_id
      ms, seq = string.match(first_id, '^(%d+)%-(%d+)$')
      seq = tonumber(seq)
    end
  end
  redis.call('HSET', appends, '@ordinal', string.format('%.0f', ordinal + count), '@last', last_id, producer,
    string.format('%s %.0f %s %.0f', args[2], count, first_id, ordinal + 1))
  if not state[2] then forget_idle_producers(appends, tonumber(ms)) end
  redis.call('PUBLISH', channel, last_id)
  return { first_id, ordinal + 1, 0 }
end

-- position: where a partition's log stands.
--
-- KEYS  1 log stream, 2 appends hash
-- Reply { id of the last entry appended, its ordinal, trim floor: every entry up to that id may be gone, entries held }
local function position(keys)
  local state = redis.call('HMGET', keys[2], '@last', '@ordinal', '@floor')
  return { state[1] or '0-0', state[2] or '0', state[3] or '0-0', redis.call('XLEN', keys[1]) }
end

-- trim: drops entries up to and including an id, and records that floor beside the stream (XTRIM itself leaves no trace
-- that a reader could check). Whole stream nodes only, so a few more entries may stay.
--
-- KEYS  1 log stream, 2 appends hash
-- ARGV  1 id
-- Reply entries dropped
local function trim(keys, args)
  local ms, seq = string.match(args[1], '^(%d+)%-(%d+)$')
  redis.call('HSET', keys[2], '@floor', args[1])
  return redis.call('XTRIM', keys[1], 'MINID', '~', string.format('%s-%.0f', ms, tonumber(seq) + 1))
end
