-- Listing a namespace. Nothing here writes.

-- So much of a record is read to find the end of its first line; most records are then there as a whole.
local HEAD_BYTES = 512
-- Index members taken at once, at most: what is taken and not needed was for nothing.
local MEMBERS_AT_ONCE = 256

-- The begin of a record, at least its first line; the length of that line; its attributes behind the content type; and the
-- record's length. Nil where there is no record, or something that is not one of ours.
local function head_of(value_key)
  local asked = HEAD_BYTES
  while true do
    local head = redis.pcall('GETRANGE', value_key, 0, asked - 1)
    if type(head) ~= 'string' then
      if string.sub(head.err, 1, 9) == 'WRONGTYPE' then return nil end
      error(head, 0)
    end
    local attributes, value_at = string.match(head, '^%d+%-%d+\t[^\t\n]*([^\n]*)\n()')
    if attributes then
      return head, value_at - 1, attributes, #head < asked and #head or redis.call('STRLEN', value_key)
    end
    if #head < asked then return nil end
    asked = asked * 4
  end
end

-- list_keys: a page of the keys of a namespace in one partition, in the order of their bytes.
--
-- KEYS  1 watermark, 2 index, 3 what the value keys of the namespace begin with
-- ARGV  1 where to begin, as ZRANGEBYLEX takes it, 2 prefix, 3 now in ms: what is expired by then is left out, 4 keys,
--       5 index members to look at, 6 bytes of keys and records (the first key goes also where it is larger), 7 bytes of
--       the longest record that is given whole: of others the first line
-- Reply { watermark record or '', '' at the end of the prefix, else the last member looked at, then for each key: the key,
--       its record or the first line of it, and the length of its value }
--
-- The value keys are not declared: they are known only when the index is read, and the value must be of the moment of
-- the watermark. They carry the hash tag of KEYS 3, which stands before anything of a client's: on Redis Cluster all are
-- in the slot of the declared keys. While that slot moves to another node Redis refuses the call, or the key that is not
-- here any more, so that nothing is left out unseen.
local function list_keys(keys, args)
  local bound, prefix, now_ms = args[1], args[2], tonumber(args[3])
  local keys_left, members_left, bytes_left = tonumber(args[4]), tonumber(args[5]), tonumber(args[6])
  local whole_max = tonumber(args[7])
  local reply, reached, at_once = { redis.call('GET', keys[1]) or '', '' }, '', keys_left
  while keys_left > 0 and members_left > 0 do
    local asked = math.min(at_once, members_left, MEMBERS_AT_ONCE)
    local members = redis.call('ZRANGEBYLEX', keys[2], bound, '+', 'LIMIT', 0, asked)
    for _, member in ipairs(members) do
      if string.sub(member, 1, #prefix) ~= prefix then return reply end
      local value_key = keys[3] .. member
      local record, line_length, attributes, length = head_of(value_key)
      local expires_ms = record and attributes ~= '' and string.match(attributes, '^\te(%d+)')
      if record and not (expires_ms and tonumber(expires_ms) <= now_ms) then
        if length > whole_max then
          record = string.sub(record, 1, line_length)
        elseif #record < length then
          record = redis.call('GET', value_key)
        end
        local bytes = #member + #record
        if bytes > bytes_left and #reply > 2 then
          reply[2] = reached
          return reply
        end
        local n = #reply
        reply[n + 1], reply[n + 2], reply[n + 3] = member, record, length - line_length
        bytes_left, keys_left = bytes_left - bytes, keys_left - 1
      end
      reached = member
      if keys_left == 0 then break end
    end
    if keys_left > 0 and #members < asked then return reply end
    members_left, at_once, bound = members_left - #members, at_once * 2, '(' .. reached
  end
  reply[2] = reached
  return reply
end
