-- The way of one request: its host and path choose a backend, then an endpoint of that, and another endpoint when the first
-- cannot be reached.
local avoided = require "tideline.avoided"
local tohex = require("bit").tohex
local balancer = require "ngx.balancer"
local cache = require "tideline.cache"
local endpoints = require "tideline.endpoints"
local answered = require "tideline.answered"
local measure = require "tideline.measure"
local policy = require "tideline.policy"
local routes = require "tideline.routes"
local store = require "tideline.store"
local tries = require "tideline.tries"

local _M = {}

local random = math.random
local WORD = 2 ^ 32

local TRIES = 3
local CONNECT_SECONDS = 2
local READ_SECONDS = 60
local NONE = {}
local now = measure.now
-- Places in ngx.ctx; measure.lua has all four.
local ASKED, HEAD = 3, 4
local LABEL_BYTES = 63
local HYPHEN = 45
-- An upgraded connection (WebSocket) may be silent for this long.
local UPGRADED_SECONDS = 3600

-- The host that takes this name: exact, then the wildcard of its parent (one label), then the one for any host. Only a label
-- that a host name can have (RFC 1123, 2.1; and `_`, which is in use) stands for `*`, and no other bytes reach the host for any name: the name
-- goes to the pod, which may trust it.
function _M.host(name)
  local host = cache.get("hosts", name)
  if host then
    return host
  end
  local dot = name:match("^[%w_][%w_-]*()%.")
  if dot and dot <= LABEL_BYTES + 1 and name:byte(dot - 1) ~= HYPHEN then
    host = cache.get("hosts", "*" .. name:sub(dot))
    if host then
      return host
    end
  end
  if name:find("[^%w._:%[%]-]") then
    return nil
  end
  return cache.get("hosts", "")
end

-- The backend for a host and a path, or nil and the reason; then the settings of the route, if it has any, and the name of the host.
local function choose(name, path)
  local host = _M.host(name)
  if not host then
    return nil, "HostUnknown"
  end
  local route = routes.match(host, path)
  if not route then
    return nil, "PathUnknown", nil, host.name
  end
  local backend = cache.get("backends", route.backend)
  if not backend or backend.count == 0 then
    return nil, "NoEndpoints", route.settings, host.name
  end
  return backend, nil, route.settings, host.name
end

-- The Host header as sent when it is the name that was routed; a request line with a name of its own wins (RFC 9112, 3.2.2).
-- Nil for that name with something behind its colon that is no port, which nginx ignores.
local function forwarded_host(routed, sent)
  if sent == nil or sent == routed then
    return routed
  end
  local lower = sent:lower()
  local bare = lower:gsub(":%d*$", ""):gsub("%.$", "")
  if bare == routed then
    return sent
  end
  if lower:sub(1, #routed) == routed and lower:find("^%.?:", #routed + 1) then
    return nil
  end
  return routed
end

-- Only WebSocket over HTTP/1.1 is upgraded: any other protocol (h2c) would lead requests past the router, and HTTP/2 has no
-- upgrade. Of a list of protocols none is taken, which a server may always do. Returns whether the request asks for it.
local function pass_upgrade(asked, var)
  if asked:lower() ~= "websocket" or var.server_protocol ~= "HTTP/1.1" or var.tideline_named_upgrade == "" then
    return false
  end
  var.tideline_upgrade, var.tideline_connection = "websocket", "upgrade"
  return true
end

-- A name for the request, as nginx's own $request_id, at a sixth of the price. Nobody should take it for a secret.
local function identifier()
  return tohex(random() * WORD) .. tohex(random() * WORD) .. tohex(random() * WORD) .. tohex(random() * WORD)
end

-- While draining, requests are served by a location that closes the connection after the response.
function _M.enter()
  if store.state:get("draining") then
    return ngx.exec("@draining")
  end
  return _M.route()
end

function _M.route()
  local var = ngx.var
  local name = var.host
  local since = now()
  local generation, backend, reason, settings, host = cache.snapshot(choose, name, var.uri)
  -- All its names are here, so that it never has to grow.
  local ctx = {
    measure.cell(host),
    since,
    false,
    false,
    backend = backend,
    index = 0,
    tries = 0,
    settings = settings,
    upgraded = false,
    hsts = false,
  }
  ngx.ctx = ctx
  if settings then
    policy.apply(settings, var)
  end
  if not backend then
    if generation == 0 then
      reason = "NoTable"
    end
    answered.count(reason)
    return ngx.exit((reason == "HostUnknown" or reason == "PathUnknown") and 404 or 503)
  end
  local forwarded = forwarded_host(name, var.http_host)
  if not forwarded then
    answered.count("HostPortInvalid")
    return ngx.exit(400)
  end
  if forwarded ~= name then
    var.tideline_host = forwarded
  end
  var.tideline_id = identifier()
  local index = endpoints.next(backend)
  ctx.index = index
  var.tideline_pool = backend.pool[index]
  local upgrade = var.http_upgrade
  if upgrade ~= nil and pass_upgrade(upgrade, var) then
    ctx.upgraded = true
  end
end

-- Whether the last try made a connection. nginx lists the connect time of each try, `-` for none: `0.001, - : ` after two tries;
-- a try that begins now has no entry yet.
local function was_connected()
  return ngx.var.upstream_connect_time:match("([^%s,:]+)[%s,:]*$") ~= "-"
end

-- Notes how the try before this one ended, and chooses the endpoint of the next. Whether that try counts is nginx's business: a
-- kept connection that fails costs no try, so there may be more than TRIES of them.
local function try_another(ctx)
  local backend = ctx.backend
  local tried = ctx.tried
  if not tried then
    tried = {}
    ctx.tried, ctx.first = tried, ctx.index
  end
  if was_connected() then
    tried[ctx.index] = "reached"
    avoided.lift(backend, ctx.index)
    tries.connected(backend)
  else
    tried[ctx.index] = "unreachable"
    local _, status = balancer.get_last_failure()
    avoided.add(backend, ctx.index, status == 504)
    tries.failed(backend, status == 504)
  end
  return endpoints.after_failure(backend, ctx.first, ctx.tries, TRIES, tried)
end

-- nginx.conf has CONNECT_SECONDS and READ_SECONDS as well, so a request without settings of its own needs no call.
local function set_timeouts(settings, upgraded)
  local idle = upgraded and UPGRADED_SECONDS or READ_SECONDS
  local send, read = settings.sendSeconds or idle, settings.readSeconds or idle
  balancer.set_timeouts(settings.connectSeconds or CONNECT_SECONDS, send, read)
end

-- Runs once for every try; the endpoints are those of the generation that was routed.
function _M.balance()
  local ctx = ngx.ctx
  local backend = ctx.backend
  if ctx.tries > 0 then
    ctx.index = try_another(ctx)
  else
    ctx[ASKED] = now()
    if backend.count > 1 then
      balancer.set_more_tries(math.min(TRIES, backend.count) - 1)
    end
  end
  ctx.tries = ctx.tries + 1
  if ctx.settings or ctx.upgraded then
    set_timeouts(ctx.settings or NONE, ctx.upgraded)
  end
  local ok, err = balancer.set_current_peer(backend.address[ctx.index], backend.port[ctx.index])
  if not ok then
    ngx.log(ngx.ERR, "endpoint refused by nginx: ", err)
    return ngx.exit(502)
  end
end

-- Runs when the answer's header is sent. An endpoint that took the connection is not avoided any more, and the last one that did
-- not take it is. A client that went away before that gets no header, so nothing is learned from its request.
function _M.answered(ctx, status)
  local backend = ctx.backend
  if not backend or not ctx.tries or ctx.tries == 0 then
    return
  end
  ctx[HEAD] = now()
  if backend.avoiding == 0 and status < 500 then
    return tries.connected(backend)
  end
  if was_connected() then
    avoided.lift(backend, ctx.index)
    tries.connected(backend)
  else
    avoided.add(backend, ctx.index, status == 504)
    tries.failed(backend, status == 504)
  end
end

return _M
