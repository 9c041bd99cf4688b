-- Endpoints that this worker process could not connect to. For a while other endpoints are tried before them: for ten
-- seconds (as nginx itself does for a list of servers, with fail_timeout) when the connect timed out, so that a dead server
-- delays few requests; for one second when the connection was refused at once, because another try costs next to nothing.
-- Then one request probes the endpoint; the others follow when that request has had the time to fail and did not.
local _M = {}

local SILENT_SECONDS = 10
local REFUSED_SECONDS = 1
-- The time that a probing request has to fail: longer than a connect may take.
local PROBE_SECONDS = 3
local MOST = 1000

local avoided = {}
local count = 0

local function name(backend, index)
  return backend.address[index] .. " " .. backend.port[index]
end

function _M.add(backend, index, silent)
  local key = name(backend, index)
  if not avoided[key] then
    -- No real trouble has so many: the list is emptied rather than grown.
    if count >= MOST then
      avoided, count = {}, 0
    end
    count = count + 1
  end
  avoided[key] = { till = ngx.now() + (silent and SILENT_SECONDS or REFUSED_SECONDS), probed = false }
end

-- Whether other endpoints are tried before this one. The caller that gets `false` is the one that probes.
function _M.has(backend, index)
  if count == 0 then
    return false
  end
  local key = name(backend, index)
  local entry = avoided[key]
  if not entry then
    return false
  end
  local now = ngx.now()
  if now < entry.till then
    return true
  end
  if entry.probed then
    avoided[key] = nil
    count = count - 1
  else
    entry.till = now + PROBE_SECONDS
    entry.probed = true
  end
  return false
end

return _M
