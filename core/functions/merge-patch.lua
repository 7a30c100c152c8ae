-- JSON Merge Patch (RFC 7396) on the texts themselves: what a patch does not name stays as it was written, to the last digit
-- of a number and the last space. Lua's own JSON knows doubles only, and cannot tell [] from {}.

local DEPTH_MAX = 128

local function fail()
  error('not JSON', 0)
end

local function skip_space(text, at)
  return string.find(text, '[^ \t\r\n]', at) or #text + 1
end

-- Each of these returns the place after what begins at `at`, or raises where it is no JSON (RFC 8259).
local function scan_string(text, at)
  local from = at + 1
  while true do
    local stop = string.find(text, '[%z\1-\31"\\]', from) or fail()
    local byte = string.byte(text, stop)
    if byte == 34 then return stop + 1 end
    if byte ~= 92 then fail() end
    if string.find(text, '^["\\/bfnrt]', stop + 1) then
      from = stop + 2
    elseif string.find(text, '^u%x%x%x%x', stop + 1) then
      from = stop + 6
    else
      fail()
    end
  end
end

local function scan_number(text, at)
  local digits = string.match(text, '^%-?0()', at) or string.match(text, '^%-?[1-9]%d*()', at) or fail()
  digits = string.match(text, '^%.%d+()', digits) or digits
  return string.match(text, '^[eE][+-]?%d+()', digits) or digits
end

local WORDS = { t = 'true', f = 'false', n = 'null' }
local scan_value

-- Calls `each` with every member's name as it is written and the place of its value.
local function scan_object(text, at, depth, each)
  at = skip_space(text, at + 1)
  if string.sub(text, at, at) == '}' then return at + 1 end
  while true do
    if string.sub(text, at, at) ~= '"' then fail() end
    local name_end = scan_string(text, at)
    local name = string.sub(text, at, name_end - 1)
    at = skip_space(text, name_end)
    if string.sub(text, at, at) ~= ':' then fail() end
    local from = skip_space(text, at + 1)
    at = scan_value(text, from, depth)
    if each then each(name, string.sub(text, from, at - 1)) end
    at = skip_space(text, at)
    local mark = string.sub(text, at, at)
    if mark == '}' then return at + 1 end
    if mark ~= ',' then fail() end
    at = skip_space(text, at + 1)
  end
end

local function scan_array(text, at, depth)
  at = skip_space(text, at + 1)
  if string.sub(text, at, at) == ']' then return at + 1 end
  while true do
    at = skip_space(text, scan_value(text, at, depth))
    local mark = string.sub(text, at, at)
    if mark == ']' then return at + 1 end
    if mark ~= ',' then fail() end
    at = skip_space(text, at + 1)
  end
end

function scan_value(text, at, depth)
  if depth > DEPTH_MAX then fail() end
  local mark = string.sub(text, at, at)
  if mark == '"' then return scan_string(text, at) end
  if mark == '{' then return scan_object(text, at, depth + 1) end
  if mark == '[' then return scan_array(text, at, depth + 1) end
  local word = WORDS[mark]
  if not word then return scan_number(text, at) end
  if string.sub(text, at, at + #word - 1) ~= word then fail() end
  return at + #word
end

-- A member's name without its escapes: the same name may be written in several ways.
local function plain_name(name)
  if not string.find(name, '\\', 1, true) then return name end
  local ok, decoded = pcall(cjson.decode, '[' .. name .. ']')
  return ok and '"' .. decoded[1] .. '"' or name
end

local Members = {}
Members.__index = Members

function Members.of(text)
  local self = setmetatable({ order = {}, names = {}, values = {} }, Members)
  if text and string.sub(text, 1, 1) == '{' then
    scan_object(text, 1, 1, function(name, value) self:set(name, value) end)
  end
  return self
end

-- The last of several members of one name counts, as in most parsers.
function Members:set(name, value)
  local plain = plain_name(name)
  if not self.names[plain] then
    self.names[plain] = name
    self.order[#self.order + 1] = plain
  end
  self.values[plain] = value
end

function Members:get(name)
  return self.values[plain_name(name)]
end

function Members:text()
  local parts = {}
  for _, plain in ipairs(self.order) do
    if self.values[plain] then parts[#parts + 1] = self.names[plain] .. ':' .. self.values[plain] end
  end
  return '{' .. table.concat(parts, ',') .. '}'
end

-- Both are texts of one value each; no target is as an empty one.
local function merged(target, patch)
  if string.sub(patch, 1, 1) ~= '{' then return patch end
  local members = Members.of(target)
  scan_object(patch, 1, 1, function(name, value)
    if value == 'null' then
      members:set(name, nil)
    else
      members:set(name, merged(members:get(name), value))
    end
  end)
  return members:text()
end

local function trimmed(text)
  local from = skip_space(text, 1)
  local to = scan_value(text, from, 1)
  if skip_space(text, to) <= #text then fail() end
  return string.sub(text, from, to - 1)
end

-- The merged text, or nil where one of the two is no JSON. `target` is nil where there is none.
local function merge_patch(target, patch)
  local ok, result = pcall(function() return merged(target and trimmed(target), trimmed(patch)) end)
  return ok and result or nil
end
