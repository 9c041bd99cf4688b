-- The requests that the edge answers itself, before any routing and for any host.
local answered = require "tideline.answered"
local cjson = require "cjson.safe"
local memory = require "tideline.memory"
local store = require "tideline.store"

local _M = {}

local HEALTH = "/.well-known/tideline/health/"

local function answer(status, body)
  ngx.status = status
  ngx.header["Content-Type"] = "application/json"
  ngx.header["Cache-Control"] = "no-store"
  ngx.say(cjson.encode(body))
  return ngx.exit(status)
end

local function readable()
  local method = ngx.req.get_method()
  if method == "GET" or method == "HEAD" then
    return true
  end
  answer(405, { reason = "MethodNotAllowed" })
  return false
end

-- The answer to DNS health checks: 503 only when something is known to be wrong. A policy whose health was never reported is
-- healthy (fail open); an edge that never got a table is not, because it can serve nobody.
function _M.health()
  if not readable() then
    return
  end
  local policy = ngx.var.uri:sub(#HEALTH + 1)
  if not policy:match("^[a-z0-9][-a-z0-9]*$") or #policy > 63 then
    return answer(404, { reason = "PolicyInvalid" })
  end
  if memory.torn() then
    return answer(503, { policy = policy, state = "unhealthy", reason = "SharedMemoryTorn" })
  end
  if store.generation() == 0 then
    return answer(503, { policy = policy, state = "unhealthy", reason = "NoTable" })
  end
  local known = cjson.decode(store.state:get("health") or "") or {}
  local health = known[policy]
  if not health then
    return answer(200, { policy = policy, state = "unknown", reason = "Unknown" })
  end
  local state = health.healthy and "healthy" or "unhealthy"
  return answer(health.healthy and 200 or 503, { policy = policy, state = state, reason = health.reason })
end

-- The agent asks this on a VIP to see that its own nginx answers there. A connection of this very server has the VIP at both ends;
-- anybody else gets what any other reserved path answers, because the table's generations are nobody's business.
function _M.blade()
  if ngx.var.remote_addr ~= ngx.var.server_addr then
    return ngx.exit(404)
  end
  if not readable() then
    return
  end
  if memory.torn() then
    return answer(503, { reason = "SharedMemoryTorn" })
  end
  local state = store.state
  return answer(200, {
    instance = state:get("instance"),
    generation = store.generation(),
    draining = state:get("draining"),
  })
end

-- The answer to a client that has as many requests in flight as one may have. nginx refused it before any Lua ran.
function _M.over_limit()
  answered.count("ClientOverLimit")
  ngx.req.discard_body()
  ngx.status = 429
  ngx.header["Content-Type"] = "text/plain"
  ngx.header["Cache-Control"] = "no-store"
  ngx.say("ClientOverLimit")
  return ngx.exit(429)
end

return _M
