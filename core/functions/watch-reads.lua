-- What is read of a store for those who watch it. Nothing here writes.

-- How often an operator has given commands up: it only grows, also where the oldest are forgotten.
local function losses_of(losses_key)
  if redis.call('EXISTS', losses_key) == 0 then return 0 end
  return stream_info(losses_key, 'entries-added')
end

-- read_outcomes: how far a partition is, and what is noted of the commands from an id on, that one included.
--
-- KEYS  1 watermark, 2 outcomes, 3 losses
-- ARGV  1 id, 2 outcomes
-- Reply { watermark record or '', losses accepted ever, then for each outcome up to the watermark its id and the result };
--       as many as were asked for: there may be more
local function read_outcomes(keys, args)
  local record = redis.call('GET', keys[1]) or ''
  local reply = { record, losses_of(keys[3]) }
  local watermark = string.match(record, '^%S+')
  if not watermark then return reply end
  for _, row in ipairs(redis.call('XRANGE', keys[2], args[1], watermark, 'COUNT', args[2])) do
    local fields = row[2]
    reply[#reply + 1] = row[1]
    -- One that goes by another id names it: see note in dead-letters.lua.
    reply[#reply + 1] = fields[1] == 'o' and fields[2] or ''
  end
  return reply
end

-- read_revisions: values, where the keys are still at these revisions.
--
-- KEYS  value keys
-- ARGV  1 bytes of values, then for each key the id of the revision
-- Reply for each key its record, or nil where it is at another revision or there is none. Behind the record that passes the
--       bytes it ends: ask again for the rest
local function read_revisions(keys, args)
  local reply, bytes_left = {}, tonumber(args[1])
  for i, key in ipairs(keys) do
    local wanted = args[i + 1] .. '\t'
    local head = redis.pcall('GETRANGE', key, 0, #wanted - 1)
    reply[i] = head == wanted and redis.call('GET', key) or false
    if reply[i] then bytes_left = bytes_left - #reply[i] end
    if bytes_left <= 0 then break end
  end
  return reply
end
