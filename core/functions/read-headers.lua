-- read_headers: what a partition's log holds between two ids, without the values, and whether that is the history that
-- its store has applied. Nothing here writes.
--
-- KEYS  1 log stream, 2 appends hash
-- ARGV  1 id to begin after, 2 id to end at, 3 id of the store's watermark, 4 entries, 5 bytes of entries to look at: the
--       page ends behind the entry that passes them
-- Reply { trim floor, era, 1 while a fence stands, else 0, record of the last reconciliation or '', what stands at ARGV 1,
--         what stands at ARGV 3, 1 when the page ends before ARGV 2, else 0, then for each entry its id and what stands there }
--       What stands at an id: '<ordinal> <header>' of a command, the version of one that a newer process wrote, '-' of what is
--       none, '' where the log holds nothing

local HEADERS_AT_ONCE = 32

local function line_of(fields)
  if #fields == 4 and fields[1] == 'v1' then return fields[2] end
  return fields[1] ~= 'v1' and string.match(fields[1], '^v%d+$') or '-'
end

local function line_at(log, id)
  local entry = redis.call('XRANGE', log, id, id)[1]
  return entry and line_of(entry[2]) or ''
end

local function read_headers(keys, args)
  local log, after, to = keys[1], args[1], args[2]
  local entries_left, bytes_left = tonumber(args[4]), tonumber(args[5])
  local state = redis.call('HMGET', keys[2], '@floor', '@era', '@fence', '@reconciled')
  local reply = { state[1] or '0-0', state[2] or '0', state[3] and 1 or 0, state[4] or '', line_at(log, after),
    line_at(log, args[3]), 0 }
  local from = '(' .. after
  while true do
    local asked = math.min(entries_left, HEADERS_AT_ONCE)
    local page = redis.call('XRANGE', log, from, to, 'COUNT', asked)
    for _, entry in ipairs(page) do
      local fields, line = entry[2], line_of(entry[2])
      reply[#reply + 1] = entry[1]
      reply[#reply + 1] = line
      from = '(' .. entry[1]
      entries_left, bytes_left = entries_left - 1, bytes_left - #line - #(fields[4] or '')
      if entries_left == 0 or bytes_left <= 0 then
        if entry[1] ~= to then reply[7] = 1 end
        return reply
      end
    end
    if #page < asked then return reply end
  end
end
