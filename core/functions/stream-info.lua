-- A field of what Redis tells of a stream that is there.
local function stream_info(key, name)
  local info = redis.call('XINFO', 'STREAM', key)
  for i = 1, #info, 2 do
    if info[i] == name then return info[i + 1] end
  end
end
