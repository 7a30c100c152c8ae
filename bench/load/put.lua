-- wrk script: PUT of 100-byte values to distinct keys. Arguments after "--":
--   first  the number of the first key
--   range  how many keys there are before the numbers start over
--   stop   end after so many answers and print how many; 0: at the end of wrk's own time, with wrk's own report
local number, first, range, stop, answers, refused = 0, 0, 1, 0, 0, 0
local body = string.rep("v", 100)

function init(args)
  first, range, stop = tonumber(args[1]), tonumber(args[2]), tonumber(args[3])
  wrk.headers["Content-Type"] = "application/octet-stream"
  -- A response function costs wrk the parsing of every header, so it is there only when needed.
  if stop > 0 then
    response = function(status)
      answers = answers + 1
      if status ~= 202 then refused = refused + 1 end
      if answers < stop then return end
      -- thread:stop() would end the load, but wrk itself sleeps on to the end of its time.
      io.write(string.format("put %d keys, %d refused\n", answers, refused))
      os.exit(0)
    end
  end
end

function request()
  local key = first + number % range
  number = number + 1
  return wrk.format("PUT", string.format("%s%08d", wrk.path, key), nil, body)
end
