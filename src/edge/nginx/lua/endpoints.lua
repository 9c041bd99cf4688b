-- The endpoints of one backend (pure but for the counter). Stored as `address port` separated by commas.
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

-- The next one's index, 1-based.
function _M.next(backend)
  backend.turn = backend.turn % backend.count + 1
  return backend.turn
end

-- The index `step` places after `index`, for retries.
function _M.after(backend, index, step)
  return (index - 1 + step) % backend.count + 1
end

return _M
