-- 64-bit integers as decimal text, in two limbs that a double holds exactly: Lua's own numbers end at 2^53.

local LIMB = 1000000000

local function parse_integer(text)
  local sign, digits = string.match(text, '^(%-?)(%d+)$')
  if not digits or #digits > 19 or (#digits > 1 and string.sub(digits, 1, 1) == '0') or text == '-0' then
    return nil
  end
  local high = tonumber(string.sub(digits, 1, -10)) or 0
  local low = tonumber(string.sub(digits, -9))
  if sign == '-' then high, low = -high, -low end
  return high, low
end

local function in_range(high, low)
  if high > 9223372036 or high < -9223372036 then return false end
  if high == 9223372036 then return low <= 854775807 end
  if high == -9223372036 then return low >= -854775808 end
  return true
end

-- The sum as text, or nil when an operand is no integer, or false when the sum does not fit 64 bits.
local function add(a, b)
  local a_high, a_low = parse_integer(a)
  local b_high, b_low = parse_integer(b)
  if not a_high or not b_high or not in_range(a_high, a_low) or not in_range(b_high, b_low) then return nil end
  local high, low = a_high + b_high, a_low + b_low
  if low >= LIMB then high, low = high + 1, low - LIMB end
  if low <= -LIMB then high, low = high - 1, low + LIMB end
  if high > 0 and low < 0 then high, low = high - 1, low + LIMB end
  if high < 0 and low > 0 then high, low = high + 1, low - LIMB end
  if not in_range(high, low) then return false end
  if high == 0 then return string.format('%.0f', low + 0) end
  return string.format('%s%.0f%09.0f', high < 0 and '-' or '', math.abs(high), math.abs(low))
end
