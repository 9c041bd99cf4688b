-- The endpoints of one backend (pure but for the counter). The store has them as `address port`, separated by commas.
local _M = {}

function _M.encode(list)
  local parts = {}
  for index, endpoint in ipairs(list) do
    parts[index] = endpoint.address .. " " .. endpoint.port
  end
  return table.concat(parts, ",")
end

-- Round robin starts at a random endpoint, so that the workers of many blades do not all begin with the first.
function _M.decode(value)
  local backend = { address = {}, port = {}, count = 0, turn = 0 }
  for address, port in value:gmatch("([^ ,]+) (%d+)") do
    backend.count = backend.count + 1
    backend.address[backend.count] = address:find(":", 1, true) and "[" .. address .. "]" or address
    backend.port[backend.count] = tonumber(port)
  end
  if backend.count > 0 then
    backend.turn = math.random(backend.count) - 1
  end
  return backend
end

-- The index of the first endpoint from `index` on that is not avoided; `index` itself when all are avoided: then all serve.
function _M.first_usable(backend, index, is_avoided)
  local count = backend.count
  for step = 0, count - 1 do
    local at = (index - 1 + step) % count + 1
    if not is_avoided(backend, at) then
      return at
    end
  end
  return index
end

-- The index of the next endpoint in the round robin, 1-based.
function _M.next(backend, is_avoided)
  backend.turn = _M.first_usable(backend, backend.turn % backend.count + 1, is_avoided)
  return backend.turn
end

-- The index at which try number `try` of `tries` begins to search. It is far from that of the first try: neighbours in the
-- list often share a server.
function _M.retry_index(backend, index, try, tries)
  return (index - 1 + math.ceil(backend.count * (try - 1) / tries)) % backend.count + 1
end

return _M
