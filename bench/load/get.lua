-- wrk script: GET of keys 0 to range-1, one after the other in steps that do not follow the order they were written in.
-- Argument after "--": range, not divisible by 7919.
local number, range = 0, 1

function init(args)
  range = tonumber(args[1])
end

function request()
  number = (number + 7919) % range
  return wrk.format("GET", string.format("%s%08d", wrk.path, number))
end
