-- What nginx 1.22 would pass on or wait for although no response may look so. The client of a pod that
-- answers like this gets a 502 at once, the access log and a counter get a reason, and the connection to the pod is closed.
local answered = require "tideline.answered"

local _M = {}

-- More names than these would only cost time: each is looked for in the whole head.
local MOST_NAMED = 32
local OF_FRAMING = { close = true, ["keep-alive"] = true, ["content-length"] = true, ["transfer-encoding"] = true }

-- Removes the fields that the pod's Connection field names: they are for the edge alone (RFC 9110, 7.6.1).
local function drop_named(connection)
  local count = 0
  for name in connection:gmatch("[^%s,]+") do
    count = count + 1
    if count > MOST_NAMED then
      return "ResponseHeadInvalid"
    end
    if not OF_FRAMING[name:lower()] then
      ngx.header[name] = nil
    end
  end
end

-- What is wrong with an answer whose length is not simply one that nginx took. nginx takes a body for chunked wherever the word
-- occurs, and passes any other coding on as if it were the content, of which the client learns nothing (RFC 9112, 6.1 and 7). Of several
-- lengths it takes the last, and ignores one that is no number: then it reads until the connection ends, where RFC 9112 (6.3) asks
-- for a 502. With chunks it ignores a length, as it should.
local function odd_framing(said, taken, coding)
  if coding and coding ~= "" then
    return coding:lower() ~= "chunked" and "ResponseCodingUnsupported"
  end
  return said and (taken == nil or tonumber(said) ~= tonumber(taken)) and "ResponseLengthInvalid"
end

-- `odd` is empty for almost all answers, `open` for one that says neither a length nor a coding (nginx.conf).
local function fault_of_final(odd, status, var)
  if odd == "open" and status == 304 then
    return nil
  end
  local said, taken = var.upstream_http_content_length, var.sent_http_content_length
  local reason = odd_framing(said, taken, var.upstream_http_transfer_encoding)
  if reason then
    return reason
  end
  local connection = var.upstream_http_connection
  return connection and drop_named(connection)
end

-- nginx takes an answer without a status line for HTTP/0.9, whose status it gives as 9. It takes an interim response (100, 102, 103)
-- for the final one and waits for a body that never ends.
local function fault(status)
  if status >= 200 then
    local odd = ngx.var.odd
    if odd ~= "" then
      return fault_of_final(odd, status, ngx.var)
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

-- What nginx lists of the last of all tries.
local function last(list)
  return list and list:match("([^%s,:]+)[%s,:]*$")
end

-- Whether nginx itself answers, in place of a pod of which no whole head came. When the pod did send something, that is its fault
-- and gets a name.
local function stands_in(status, var)
  if last(var.upstream_header_time) ~= "-" then
    return false
  end
  if status == 502 and last(var.upstream_bytes_received) ~= "0" then
    answered.count("ResponseHeadInvalid")
  end
  return true
end

-- Whether this is an answer of the edge in place of one of a pod: its fields are none of the pod's.
local function is_substitute(status)
  if status ~= 502 and status ~= 504 then
    return false
  end
  local var = ngx.var
  if answered.is_of_response(var.tideline_reason) then
    ngx.header["Content-Length"] = 0
    return true
  end
  return stands_in(status, var)
end

-- Runs before the head of each response is sent: of a pod's, and then of the one that takes its place. Where the edge sends HSTS, a
-- pod's own is replaced; else that passes.
function _M.check(ctx, status)
  local reason = not is_substitute(status) and fault(status)
  if reason then
    return refuse(reason, status)
  end
  if ctx.hsts then
    ngx.header["Strict-Transport-Security"] = ctx.hsts
  end
  if status == 101 or status == 426 then
    pass_upgrade(ngx.var)
  elseif status == 204 and ngx.header.content_length then
    -- RFC 9110, 8.6: a client may wait for a body. nginx keeps the field where the pod sent a status line.
    ngx.header.content_length = nil
  end
end

return _M
