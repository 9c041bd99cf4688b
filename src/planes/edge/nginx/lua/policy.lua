-- What the settings of a route do with a request before it is proxied: refuse it, redirect it, bound it.
local answered = require "tideline.answered"
local body = require "tideline.body"
local prefixes = require "tideline.prefixes"

local _M = {}

local ACME = "/.well-known/acme-challenge/"

local function refuse(status, reason)
  answered.count(reason)
  ngx.req.discard_body()
  ngx.status = status
  ngx.header["Content-Type"] = "text/plain"
  ngx.header["Cache-Control"] = "no-store"
  ngx.say(reason)
  return ngx.exit(status)
end

local function redirect(reason, to, code)
  answered.count(reason)
  return ngx.redirect(to, code)
end

local function limit_clients(settings, var)
  local address = var.binary_remote_addr
  if settings.deny and prefixes.has(settings.deny, address) then
    return refuse(403, "ClientDenied")
  end
  -- A trusted proxy that names a client in a form that nginx cannot read has made nobody a member of the list, itself included.
  if settings.allow and var.tideline_named == "1" and var.tideline_client == "" then
    return refuse(403, "ClientUnreadable")
  end
  if settings.allow and not prefixes.has(settings.allow, address) then
    return refuse(403, "ClientNotAllowed")
  end
end

-- The values of these variables come from nginx's own parser, which takes no control character in any of them.
local function target(template, var)
  return (template:gsub("%$([a-z_]+)", { request_uri = var.request_uri, host = var.host, scheme = var.tideline_scheme }))
end

-- A challenge of an ACME server comes over plain HTTP, before there is a certificate. A client that came by a trusted proxy
-- sees the ports of the proxy, not those of the blade: it is sent to the usual port.
local function to_https(https, var)
  if var.uri:sub(1, #ACME) == ACME then
    return
  end
  local host = var.host
  if host == "" then
    return refuse(400, "HostMissing")
  end
  local port = https.port and var.tideline_proxy ~= "1" and ":" .. https.port or ""
  return redirect("HttpsRequired", "https://" .. host .. port .. var.request_uri, https.code)
end

-- Returns when the request may be proxied; else it ends the request.
function _M.apply(settings, var)
  if settings.refused then
    return refuse(503, settings.refused)
  end
  local secure = var.tideline_scheme == "https"
  if secure and settings.hsts then
    -- The filter of headers sends it (response.lua).
    ngx.ctx.hsts = settings.hsts
  end
  if settings.deny or settings.allow then
    limit_clients(settings, var)
  end
  if settings.redirect then
    return redirect("Redirected", target(settings.redirect.to, var), settings.redirect.code)
  end
  if settings.https and not secure then
    to_https(settings.https, var)
  end
  if settings.appRoot and var.uri == "/" then
    return redirect("Redirected", settings.appRoot, 302)
  end
  if settings.maxBodyBytes and body.too_large(settings.maxBodyBytes, var) then
    return refuse(413, "BodyTooLarge")
  end
end

return _M
