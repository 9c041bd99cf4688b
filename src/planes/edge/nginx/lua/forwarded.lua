-- What a trusted proxy says in fields that came more than once. A proxy that adds a field and leaves those of its clients puts its own
-- last (RFC 9110, 5.3, forbids to change the order), and nginx 1.22 reads the first: the last one is made the only one. X-Forwarded-For needs
-- none of this, nginx reads it from its end.
local _M = {}

-- The fields of providers, in lower case; nginx.conf sets them.
_M.fields = {}

local PROTO = "x-forwarded-proto"

local function keep_last(name, value)
  if type(value) == "table" then
    value = value[#value]
    ngx.req.set_header(name, value)
  end
  return value
end

-- To be called before anything reads a variable of these fields, because nginx keeps what it has read.
function _M.settle()
  if ngx.var.tideline_proxy ~= "1" then
    return
  end
  local sent = ngx.req.get_headers(0)
  local proto = keep_last(PROTO, sent[PROTO])
  -- A proxy that continues a field joins the values to one line (RFC 9110, 5.2).
  if proto and proto:find(",", 1, true) then
    ngx.req.set_header(PROTO, proto:match("([^%s,]*)%s*$"))
  end
  for _, name in ipairs(_M.fields) do
    keep_last(name, sent[name])
  end
end

return _M
