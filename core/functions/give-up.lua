-- give_up: removes commands that the store has not applied, because an operator has said so. A page a call.
--
-- KEYS  1 log stream, 2 appends hash
-- ARGV  1 id after which, 2 id of the last command that the operator was told of, 3 at most so many
-- Reply how many were removed; -1, with nothing changed, when the log has gone on since, or a fence stands
--
-- They are removed rather than passed over: whoever asks for one of them must not hear that it was applied, nobody who watches is
-- told of it, and a store that is restored from an older snapshot halts in front of the hole instead of applying them after
-- all. Ordinals stay: the next command has the next number.
local function give_up(keys, args)
  local state = redis.call('HMGET', keys[2], '@last', '@fence')
  if state[1] ~= args[2] or state[2] then return -1 end
  local ids = {}
  for _, row in ipairs(redis.call('XRANGE', keys[1], '(' .. args[1], args[2], 'COUNT', args[3])) do
    ids[#ids + 1] = row[1]
  end
  if #ids > 0 then redis.call('XDEL', keys[1], unpack(ids)) end
  return #ids
end
