-- Sets of IP prefixes (pure). A set has the networks of each length that occurs, so a look-up costs as much as there are
-- lengths, however many prefixes there are.
local bit = require "bit"
local ffi = require "ffi"

ffi.cdef([[
int inet_pton(int family, const char *text, void *address);
]])

local _M = {}

local INET, INET6 = 2, 10
local buffer = ffi.new("uint8_t[16]")
local MAPPED = string.rep("\0", 10) .. "\255\255"

-- The first `length` bits of an address of 4 or 16 bytes.
local function network(address, length)
  local whole, rest = math.floor(length / 8), length % 8
  if rest == 0 then
    return address:sub(1, whole)
  end
  local mask = bit.band(bit.lshift(255, 8 - rest), 255)
  return address:sub(1, whole) .. string.char(bit.band(address:byte(whole + 1), mask))
end

-- The address in bytes and the length of a prefix in text form, or nil.
function _M.parse(text)
  local address, length = text:match("^([0-9a-f:.]+)/(%d%d?%d?)$")
  if not address or #address > 45 then
    return nil
  end
  length = tonumber(length)
  local bytes = ffi.C.inet_pton(INET, address, buffer) == 1 and 4
    or ffi.C.inet_pton(INET6, address, buffer) == 1 and 16
  if not bytes or length > bytes * 8 then
    return nil
  end
  return ffi.string(buffer, bytes), length
end

-- The set of these prefixes, or nil when there are none. `lengths` and `networks` are by the size of an address in bytes.
function _M.set(prefixes)
  if not prefixes then
    return nil
  end
  local set = { [4] = { lengths = {}, networks = {} }, [16] = { lengths = {}, networks = {} } }
  for _, text in ipairs(prefixes) do
    local address, length = _M.parse(text)
    local family = set[#address]
    if not family.networks[length] then
      family.networks[length] = {}
      table.insert(family.lengths, length)
    end
    family.networks[length][network(address, length)] = true
  end
  return set
end

-- Whether an address of 4 or 16 bytes is in one of the prefixes. An IPv4 address in an IPv6 one (::ffff:192.0.2.1) counts as
-- the IPv4 address.
function _M.has(set, address)
  if #address == 16 and address:sub(1, 12) == MAPPED then
    address = address:sub(13)
  end
  local family = set[#address]
  if not family then
    return false
  end
  for _, length in ipairs(family.lengths) do
    if family.networks[length][network(address, length)] then
      return true
    end
  end
  return false
end

return _M
