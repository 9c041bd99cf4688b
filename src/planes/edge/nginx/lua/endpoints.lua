-- The endpoints of one backend, and which of them is tried when. The store has them as `address port`, separated by commas.
local avoided = require "tideline.avoided"

local _M = {}

-- The number of upstreams of nginx.conf, each of which keeps idle connections; start.lua sets it.
_M.pools = 1

-- The name of the upstream of an endpoint. conf.ts, which gives these names, says why they are `a` to `h`, `ap` to `hp` and so on.
local function pool_of(address, port)
  local index = ngx.crc32_short(address .. " " .. port) % _M.pools
  return string.char(97 + index % 8) .. string.rep("p", math.floor(index / 8))
end

function _M.encode(list)
  local parts = {}
  for index, endpoint in ipairs(list) do
    parts[index] = endpoint.address .. " " .. endpoint.port
  end
  return table.concat(parts, ",")
end

-- Round robin starts at a random endpoint, so that the workers of many blades do not all begin with the first. `before` is the
-- version that this one follows, or nil when that is not known or nothing is known of its endpoints.
function _M.decode(value, before, key)
  local backend = { key = key, address = {}, port = {}, pool = {}, count = 0, turn = 0, avoiding = 0 }
  for address, port in value:gmatch("([^ ,]+) (%d+)") do
    backend.count = backend.count + 1
    backend.address[backend.count] = address:find(":", 1, true) and "[" .. address .. "]" or address
    backend.port[backend.count] = tonumber(port)
    backend.pool[backend.count] = pool_of(address, port)
  end
  if backend.count > 0 then
    backend.turn = math.random(backend.count) - 1
  end
  if before then
    avoided.hand_on(before, backend)
  end
  return backend
end

-- Whether what was learned of the endpoints is worth handing on to the next version of the backend.
function _M.worth_keeping(backend)
  return backend.avoiding > 0
end

-- The index of the first endpoint from `index` on that is neither in `tried` nor avoided, or nil.
local function first_usable(backend, index, tried)
  local count = backend.count
  for step = 0, count - 1 do
    local at = (index - 1 + step) % count + 1
    if not tried[at] and not avoided.has(backend, at) then
      return at
    end
  end
end

local function first_not_in(backend, index, tried)
  local count = backend.count
  for step = 0, count - 1 do
    local at = (index - 1 + step) % count + 1
    if not tried[at] then
      return at
    end
  end
end

local NONE = {}

-- The index of the next endpoint in the round robin, 1-based; when all are avoided, all serve.
function _M.next(backend)
  local turn = backend.turn % backend.count + 1
  if backend.avoiding > 0 then
    turn = first_usable(backend, turn, NONE) or turn
  end
  backend.turn = turn
  return turn
end

-- The index at which a request goes on after its try number `try` of `tries` failed. `tried` says how the tries ended, by
-- index: `reached` when a connection was made, else `unreachable`. No endpoint is repeated while another one is untried, even an
-- avoided one. When all were tried (nginx adds a try for each kept connection that was closed while it was idle), the answer is
-- an endpoint that was reached, whose next connection will be a new one. The search begins far from the first try,
-- because neighbours in the list often share a server.
function _M.after_failure(backend, first, try, tries, tried)
  local from = (first - 1 + math.ceil(backend.count * try / tries)) % backend.count + 1
  return first_usable(backend, from, tried) or first_not_in(backend, from, tried) or _M.reached_one(backend, from, tried)
end

function _M.reached_one(backend, from, tried)
  local unreachable = {}
  for index, how in pairs(tried) do
    unreachable[index] = how == "unreachable" or nil
  end
  return first_not_in(backend, from, unreachable) or from
end

return _M
