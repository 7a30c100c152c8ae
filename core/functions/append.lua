-- append: writes groups of commands to their partitions' logs, each group once.
--
-- KEYS  for each group: log stream, appends hash
-- ARGV  for each group: '<producer> <sequence of the first command> <commands>', the commands' headers one a line, and
--       each command's body
-- Reply for each group { id of the first entry, ordinal of the first entry, 1 when it had been appended before else 0 },
--       or the error that refused it: nothing of that group was written then, and the others are not touched by it
--
-- A group is of one producer and one partition. Its ids are consecutive: the first one's, then its sequence part + 1,
-- + 2 ... A group that is resent whole (its reply was lost) changes nothing and gets its first ids back (rule R4). A
-- group that is older than the producer's last one is a ghost of a dead connection: MRSEQUENCE.
-- The ordinal is dense and counts what this function wrote: a gap in it is a lost entry, whatever the clocks say.
-- While a fence stands (reconcile.lua) nothing is appended: MRFENCED.
-- Fields of the appends hash: @ordinal, @last, @floor, those of reconcile.lua, and each producer's last group under its
-- name.
-- The broadcast's channel is named like the stream.

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

local function append_group(log, appends, group, headers, args, body_at)
  local producer, first_text, count_text = string.match(group, '^(%S+) (%d+) (%d+)$')
  local first, count = tonumber(first_text), tonumber(count_text)
  local state = redis.call('HMGET', appends, '@ordinal', producer, '@fence')
  if state[3] then error('MRFENCED the log is being brought into line with the store', 0) end
  local ordinal = tonumber(state[1] or '0')

  if state[2] then
    local last_first, last_count, last_id, last_ordinal = string.match(state[2], '^(%d+) (%d+) (%S+) (%d+)$')
    if first == tonumber(last_first) and count == tonumber(last_count) then
      return { last_id, tonumber(last_ordinal), 1 }
    end
    if first < tonumber(last_first) + tonumber(last_count) then error('MRSEQUENCE past ' .. first_text, 0) end
  end

  local first_id, ms, seq, last_id
  local header_at = 1
  for written = 0, count - 1 do
    -- Found as it is, not as a pattern: that would look at each of its bytes, which took half as long as XADD.
    local header_end = string.find(headers, '\n', header_at, true) or #headers + 1
    local line = string.format('%.0f ', ordinal + 1 + written) .. string.sub(headers, header_at, header_end - 1)
    local id = written == 0 and '*' or string.format('%s-%.0f', ms, seq + written)
    last_id = redis.call('XADD', log, id, 'v1', line, 'b', args[body_at + written])
    if written == 0 then
      first_id = last_id
      ms, seq = string.match(first_id, '^(%d+)%-(%d+)$')
      seq = tonumber(seq)
    end
    header_at = header_end + 1
  end
  redis.call('HSET', appends, '@ordinal', string.format('%.0f', ordinal + count), '@last', last_id, producer,
    string.format('%s %s %s %.0f', first_text, count_text, first_id, ordinal + 1))
  if not state[2] then forget_idle_producers(appends, tonumber(ms)) end
  redis.call('PUBLISH', log, last_id)
  return { first_id, ordinal + 1, 0 }
end

local function append(keys, args)
  local replies, at = {}, 1
  for i = 1, #keys, 2 do
    local count = tonumber(string.match(args[at], ' (%d+)$'))
    local ok, reply = pcall(append_group, keys[i], keys[i + 1], args[at], args[at + 1], args, at + 2)
    if not ok then reply = type(reply) == 'table' and reply.err or tostring(reply) end
    replies[#replies + 1] = reply
    at = at + 2 + count
  end
  return replies
end

-- position: where a partition's log stands.
--
-- KEYS  1 log stream, 2 appends hash
-- Reply { id of the last entry appended, its ordinal, trim floor: every entry up to that id may be gone, entries held,
--         era, fence, reconciled: see reconcile.lua }
local function position(keys)
  local state = redis.call('HMGET', keys[2], '@last', '@ordinal', '@floor', '@era', '@fence', '@reconciled')
  local held = redis.call('XLEN', keys[1])
  return { state[1] or '0-0', state[2] or '0', state[3] or '0-0', held, state[4] or '0', state[5], state[6] }
end

-- trim: drops entries up to and including an id, and records that floor beside the stream (XTRIM itself leaves no trace
-- that a reader could check). Where nothing was dropped the floor stays: a log that holds everything says so. Nothing goes
-- while a fence stands: what is behind the watermark need not be applied then.
--
-- KEYS  1 log stream, 2 appends hash
-- ARGV  1 id
-- Reply entries dropped
local function trim(keys, args)
  local ms, seq = string.match(args[1], '^(%d+)%-(%d+)$')
  if redis.call('HEXISTS', keys[2], '@fence') == 1 then return 0 end
  local dropped = redis.call('XTRIM', keys[1], 'MINID', string.format('%s-%.0f', ms, tonumber(seq) + 1))
  if dropped > 0 then redis.call('HSET', keys[2], '@floor', args[1]) end
  return dropped
end
