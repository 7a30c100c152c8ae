-- advance: moves a partition's watermark over commands that are lost, because an operator has said so.
--
-- KEYS  1 watermark, 2 losses
-- ARGV  1 expected watermark record, 2 new record, 3 channel
-- Reply { 'OK', new record }, or { 'MISMATCH', stored record } with nothing changed
--
-- The losses stream tells what was given up, under the id of the new watermark (log time, no clock): from and to are
-- watermark records, count is of commands. Who waits for one of them must not hear that it was applied: jump.

local LOSSES_MAX = 100

local function advance(keys, args)
  local stored = redis.call('GET', keys[1]) or '0-0 0'
  if stored ~= args[1] then return { 'MISMATCH', stored } end
  local id, to = string.match(args[2], '^(%S+) (%d+)$')
  local from = string.match(stored, ' (%d+)$')
  local entry = { 'from', stored, 'to', args[2], 'count', string.format('%.0f', tonumber(to) - tonumber(from)) }
  local noted = redis.pcall('XADD', keys[2], 'MAXLEN', '~', LOSSES_MAX, id, unpack(entry))
  if type(noted) == 'table' then redis.call('XADD', keys[2], 'MAXLEN', '~', LOSSES_MAX, '*', unpack(entry)) end
  redis.call('SET', keys[1], args[2])
  redis.call('PUBLISH', args[3], cjson.encode({ watermark = args[2], results = {}, jump = true }))
  return { 'OK', args[2] }
end
