-- Endpoints that this worker process could not connect to. Others come first for a while: ten seconds (what nginx itself does
-- for a list of servers, with fail_timeout) when the connect took its full time, so that a dead server delays few requests; one
-- second when it was refused at once, because asking costs next to nothing. Then one request asks again; the rest follow when
-- that one had time to fail and did not.
local _M = {}

local SILENT_SECONDS = 10
local REFUSED_SECONDS = 1
-- Longer than a connect may take.
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
    -- More than any real trouble: begin anew rather than grow.
    if count >= MOST then
      avoided, count = {}, 0
    end
    count = count + 1
  end
  avoided[key] = { till = ngx.now() + (silent and SILENT_SECONDS or REFUSED_SECONDS), probed = false }
end

-- Whether others come first. Who hears no is taken to ask.
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
