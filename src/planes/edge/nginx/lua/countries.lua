-- The country of an address, from the file that `tideline edge render` writes (countries.ts). The master reads it once, before it makes
-- workers, which share its memory. Without a good file every address is of an unknown country, and requests are served as ever.
local _M = {}

-- What became of the file: "ready", "CountryDataMissing" or "CountryDataDamaged".
_M.state = "CountryDataMissing"
-- When the data was made, in seconds since the epoch; nil where that is not known.
_M.built = nil
-- The countries that the file has.
_M.codes = {}

local WIDTH = { [4] = 4, [16] = 6 }
local floor = math.floor

local data
-- By the length of an address: where the ranges begin in the file, and how many there are.
local ranges = {}

-- The number of the `width` bytes behind `at`.
local function number(at, width)
  local a, b, c, d, e, f = data:byte(at + 1, at + width)
  local first = ((a * 256 + b) * 256 + c) * 256 + d
  return e and (first * 256 + e) * 256 + f or first
end

local function parse(text)
  local sum, codes, ipv4, ipv6, built, at = text:match("^tideline%-countries%-2 (%d+)\n([%u ]*)\n(%d+) (%d+) (%d+)\n()")
  if not sum then
    return false
  end
  ipv4, ipv6 = tonumber(ipv4), tonumber(ipv6)
  local rest = text:sub(text:find("\n", 1, true) + 1)
  if ipv4 < 1 or ipv6 < 1 or #text ~= at - 1 + ipv4 * 5 + ipv6 * 7 or ngx.crc32_long(rest) ~= tonumber(sum) then
    return false
  end
  data = text
  built = tonumber(built)
  _M.built = built > 0 and built or nil
  for code in codes:gmatch("%u+") do
    _M.codes[#_M.codes + 1] = code
  end
  ranges = { [4] = { at = at - 1, count = ipv4 }, [16] = { at = at - 1 + ipv4 * 5, count = ipv6 } }
  return true
end

-- Reads the file of the rendered folder.
function _M.read(rendered)
  local file = io.open(rendered .. "/countries.bin", "rb")
  if not file then
    return
  end
  local text = file:read("*a")
  file:close()
  _M.state = text and parse(text) and "ready" or "CountryDataDamaged"
  if _M.state ~= "ready" then
    ngx.log(ngx.ERR, _M.state, ": ", rendered, "/countries.bin: requests count as of an unknown country; render again")
  end
end

-- The country of an address of 4 or 16 bytes, or nil. A search of some 18 steps.
function _M.of(address)
  local table, width = ranges[#address], WIDTH[#address]
  if not table then
    return nil
  end
  local wanted = 0
  for index = 1, width do
    wanted = wanted * 256 + address:byte(index)
  end
  local low, high = 0, table.count
  while high - low > 1 do
    local middle = floor((low + high) / 2)
    if number(table.at + middle * (width + 1), width) <= wanted then
      low = middle
    else
      high = middle
    end
  end
  return _M.codes[data:byte(table.at + low * (width + 1) + width + 1)]
end

return _M
