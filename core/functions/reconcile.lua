-- fence, move, unfence: bring a log that went back into line with the store, which has applied more than the log knows.
--
-- Between fence and unfence the log takes no appends: what producers send then could overtake what is moved, and a
-- producer's overtaken sequence would be dropped as repeated (rule R4). Every call is atomic, and a call that comes
-- twice, or from somebody who was overtaken, changes nothing: whoever finds the fence goes on where another died.
-- Fields of the appends hash: @fence '<watermark id> <ordinal> <start> <boundary> <commands the log counted> <moved>
-- <dropped>', @era: how often a fence was put up, @reconciled: what the last one came to.
--
-- KEYS of all three  1 log stream, 2 appends hash

-- A sequence part beyond this is at the end of what a double counts exactly: the next millisecond then.
local SEQUENCE_MAX = 1000000000000000

local function id_parts(id)
  local ms, seq = string.match(id, '^(%d+)%-(%d+)$')
  return tonumber(ms), tonumber(seq)
end

local function later_id(a, b)
  local a_ms, a_seq = id_parts(a)
  local b_ms, b_seq = id_parts(b)
  if a_ms > b_ms or (a_ms == b_ms and a_seq >= b_seq) then return a end
  return b
end

local function id_after(id)
  local ms, seq = id_parts(id)
  if seq >= SEQUENCE_MAX then return string.format('%.0f-0', ms + 1) end
  return string.format('%.0f-%.0f', ms, seq + 1)
end

-- fence: from here on new ids and ordinals are beyond the store's watermark, and the floor is at it: what the log holds
-- below has a hole now.
-- ARGV  1 watermark id, 2 its ordinal, 3 era in which the log was found to have gone back
-- Reply { era, start, boundary }: entries after the start (it was the floor: what is below counts as gone) up to the
--       boundary are to be judged; or nil: another era, look again. A fence that
--       stands for the same or a later watermark is taken over as it is.
local function fence(keys, args)
  local log, appends, id = keys[1], keys[2], args[1]
  local state = redis.call('HMGET', appends, '@era', '@fence', '@ordinal', '@floor')
  local era, start = tonumber(state[1] or '0'), state[4] or '0-0'
  if state[2] then
    local ordinal, boundary
    ordinal, start, boundary = string.match(state[2], '^%S+ (%d+) (%S+) (%S+)')
    if tonumber(ordinal) >= tonumber(args[2]) then return { era, start, boundary } end
  elseif era ~= tonumber(args[3]) then
    return false
  end
  if redis.call('EXISTS', log) == 0 then
    redis.call('XADD', log, id, 'none', '')
    redis.call('XDEL', log, id)
  end
  local boundary = later_id(id, stream_info(log, 'last-generated-id'))
  redis.call('XSETID', log, boundary)
  redis.call('HSET', appends, '@era', era + 1, '@ordinal', args[2], '@last', boundary,
    '@floor', later_id(id, state[4] or '0-0'),
    '@fence', string.format('%s %s %s %s %s 0 0', id, args[2], start, boundary, state[3] or '0'))
  return { era + 1, start, boundary }
end

-- A producer that sends its last group again is told where it is now.
local function readdress(appends, producer, sequence, id, ordinal)
  local last = redis.call('HGET', appends, producer)
  if not last then return end
  local first, count = string.match(last, '^(%d+) (%d+) ')
  local offset = tonumber(sequence) - tonumber(first)
  local ms, seq = id_parts(id)
  if offset < 0 or offset >= tonumber(count) or offset > seq then return end
  redis.call('HSET', appends, producer,
    string.format('%s %s %.0f-%.0f %.0f', first, count, ms, seq - offset, ordinal - offset))
end

-- move: entries that the store does not know go to the log's end under the next ids and ordinals, in the order given;
-- entries that it knows, and that stand in the way, go. An id that is not there has been moved already.
-- ARGV  1 era of the fence, 2 number of entries to move, for each '<id> <producer> <sequence>' or '<id>' where it has no
--       producer, then ids to drop
-- Reply 1, or nil: that fence is gone
local function move(keys, args)
  local log, appends = keys[1], keys[2]
  local state = redis.call('HMGET', appends, '@era', '@fence', '@ordinal', '@last')
  if state[1] ~= args[1] or not state[2] then return false end
  local ordinal, last = tonumber(state[3]), later_id(state[4], stream_info(log, 'last-generated-id'))
  local head, moved, dropped = string.match(state[2], '^(%S+ %S+ %S+ %S+ %S+) (%d+) (%d+)$')
  moved, dropped = tonumber(moved), tonumber(dropped)
  local moves = tonumber(args[2])
  for i = 3, 2 + moves do
    local id, producer, sequence = string.match(args[i], '^(%S+) ?(%S*) ?(%d*)$')
    local found = redis.call('XRANGE', log, id, id)[1]
    if found then
      local fields = found[2]
      last = id_after(last)
      local header = fields[1] == 'v1' and string.match(fields[2], '^%d+ (.*)$')
      if header then
        ordinal, moved = ordinal + 1, moved + 1
        fields[2] = string.format('%.0f ', ordinal) .. header
      end
      -- unpack fails near 8,000 values; something so long is none of ours.
      redis.call('XADD', log, last, unpack(fields, 1, math.min(#fields, 1000)))
      redis.call('XDEL', log, id)
      if producer ~= '' then readdress(appends, producer, sequence, last, ordinal) end
    end
  end
  for i = 3 + moves, #args do dropped = dropped + redis.call('XDEL', log, args[i]) end
  redis.call('HSET', appends, '@ordinal', string.format('%.0f', ordinal), '@last', last,
    '@fence', string.format('%s %.0f %.0f', head, moved, dropped))
  return 1
end

-- unfence: the log takes appends again.
-- ARGV  1 era of the fence
-- Reply '<watermark id> <ordinal> <lost> <moved> <dropped>', or nil: that fence is gone. Lost: commands that the store
--       has applied and the log did not hold.
local function unfence(keys, args)
  local log, appends = keys[1], keys[2]
  local state = redis.call('HMGET', appends, '@era', '@fence', '@ordinal', '@last')
  if state[1] ~= args[1] or not state[2] then return false end
  local id, ordinal, counted, moved, dropped = string.match(state[2], '^(%S+) (%d+) %S+ %S+ (%d+) (%d+) (%d+)$')
  local lost = math.max(0, tonumber(ordinal) - (tonumber(counted) - tonumber(moved)))
  local reconciled = string.format('%s %s %.0f %s %s', id, ordinal, lost, moved, dropped)
  redis.call('HDEL', appends, '@fence')
  redis.call('HSET', appends, '@reconciled', reconciled)
  -- The group's lag is told from this count. Refused where the stream holds more than it says: then the lag is off.
  redis.pcall('XSETID', log, state[4], 'ENTRIESADDED', state[3])
  redis.call('PUBLISH', log, state[4])
  return reconciled
end
