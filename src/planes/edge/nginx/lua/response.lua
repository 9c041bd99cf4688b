-- What nginx 1.22 would pass on or wait for although no response may look so. The client of a pod that
-- answers like this gets a 502 at once, the access log and a counter get a reason, and the connection to the pod is closed.
local answered = require "tideline.answered"

local _M = {}

-- Whether nginx took the length that the pod said. It takes the last of several fields and ignores one that is no number, and then
-- reads until the connection ends (RFC 9112, 6.3, asks for a 502).
local function length_agrees(said)
  local taken = ngx.header.content_length
  if said == taken then
    return true
  end
  local length = tonumber(said)
  if length and length == tonumber(taken) then
    return true
  end
  return ngx.var.upstream_http_transfer_encoding ~= nil
end

-- nginx takes an answer without a status line for HTTP/0.9, whose status it gives as 9. It takes an interim response (100, 102, 103)
-- for the final one and waits for a body that never ends.
local function fault(status)
  if status >= 200 then
    local said = ngx.var.upstream_http_content_length
    if said and not length_agrees(said) then
      return "ResponseLengthInvalid"
    end
  elseif status < 100 then
    return "ResponseNotHttp"
  elseif status ~= 101 then
    return "ResponseInterim"
  elseif ngx.var.tideline_upgrade == "" then
    return "ResponseUpgradeUnasked"
  end
end

-- An answer that is sent from here does not end the exchange with the pod: nginx goes on to pass the body, behind the answer that
-- it has sent already. It does end it when the request is a HEAD, which has no body, and closes the connection of a client of HTTP/1.
-- Two clients get no answer but that end: one that asked for an upgrade, because nginx opens a tunnel whatever was sent, and one of
-- HTTP/1 whose pod left out the status line, because nginx takes the client for one of HTTP/0.9 as well, which gets no head.
local function refuse(reason, status)
  answered.count(reason)
  local tunnel = status == 101 and ngx.var.http_upgrade
  local headless = status < 100 and ngx.var.http2 == ""
  if tunnel or headless then
    return ngx.exit(ngx.ERROR)
  end
  ngx.req.set_method(ngx.HTTP_HEAD)
  return ngx.exit(502)
end

-- What a pod says of upgrades passes only where it means something: a response of HTTP/2 with this field is malformed (RFC 9113,
-- 8.2.2).
local function pass_upgrade(var)
  if var.server_protocol == "HTTP/1.1" then
    ngx.header.Upgrade = var.upstream_http_upgrade
  end
end

-- Runs before the head of each response is sent: of a pod's, and then of the one that takes its place. Where the edge sends HSTS, a
-- pod's own is replaced; else that passes.
function _M.check(ctx, status)
  if ctx.hsts then
    ngx.header["Strict-Transport-Security"] = ctx.hsts
  end
  if status == 101 or status == 426 then
    pass_upgrade(ngx.var)
  end
  if status == 502 and answered.is_of_response(ngx.var.tideline_reason) then
    ngx.header["Content-Length"] = 0
    return
  end
  local reason = fault(status)
  if reason then
    return refuse(reason, status)
  end
end

return _M
