-- Endpoints that this worker process could not connect to (pure but for the clock). For a while other endpoints of the same
-- backend are tried before them: for ten seconds (as nginx itself does for a list of servers, with fail_timeout) when the
-- connect timed out, so that a dead server delays few requests; for one second when the connection was refused at once, because
-- another try costs next to nothing. Then one request probes the endpoint. The first connection that is made lifts the
-- avoidance, whichever request makes it.
--
-- What is known belongs to a decoded backend: `backend.avoiding` counts its entries, and is 0 as a rule. It is handed on to the
-- next version of the backend for the endpoints that both have, so the address of a deleted pod does not start avoided when
-- another pod gets it.
local ffi = require "ffi"

-- nginx's own clock in milliseconds. It is monotonic, which ngx.now() is not: a step of the wall clock changes nothing here.
ffi.cdef("extern volatile uintptr_t ngx_current_msec;")

local _M = {}

local SILENT_MS = 10000
local REFUSED_MS = 1000
-- The time that a probing request has to fail: longer than a connect may take.
local PROBE_MS = 3000

local function now()
  return tonumber(ffi.C.ngx_current_msec)
end

function _M.add(backend, index, silent)
  if not backend.avoided then
    backend.avoided = {}
  end
  if not backend.avoided[index] then
    backend.avoiding = backend.avoiding + 1
  end
  backend.avoided[index] = now() + (silent and SILENT_MS or REFUSED_MS)
end

-- Whether other endpoints are tried before this one. The caller that gets `false` for an endpoint whose time is over is the one
-- that probes it.
function _M.has(backend, index)
  local till = backend.avoiding > 0 and backend.avoided[index]
  if not till then
    return false
  end
  if now() < till then
    return true
  end
  backend.avoided[index] = now() + PROBE_MS
  return false
end

function _M.lift(backend, index)
  if backend.avoiding > 0 and backend.avoided[index] then
    backend.avoided[index] = nil
    backend.avoiding = backend.avoiding - 1
  end
end

-- Hands on what is known of the endpoints of `before` to `backend`, the version that came right after it.
function _M.hand_on(before, backend)
  local till = {}
  for index, time in pairs(before.avoided) do
    till[before.address[index] .. " " .. before.port[index]] = time
  end
  backend.avoided = {}
  for index = 1, backend.count do
    local time = till[backend.address[index] .. " " .. backend.port[index]]
    if time then
      backend.avoided[index] = time
      backend.avoiding = backend.avoiding + 1
    end
  end
end

return _M
