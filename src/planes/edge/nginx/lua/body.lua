-- Whether the body of a request is longer than its route takes. nginx.conf bounds every body (client_max_body_size, which no
-- request can change); a route may have a smaller bound.
local _M = {}

-- The length of a body that has been read.
local function length_read()
  local file = ngx.req.get_body_file()
  if not file then
    local data = ngx.req.get_body_data()
    return data and #data or 0
  end
  local handle = io.open(file, "rb")
  if not handle then
    return nil
  end
  local length = handle:seek("end")
  handle:close()
  return length
end

-- A body that comes without its length (chunked, or frames of HTTP/2) is read first: nginx reads bodies as a whole before it
-- connects to a pod in any case. May yield.
function _M.too_large(limit, var)
  local length = tonumber(var.content_length)
  if length then
    return length > limit
  end
  if not var.http_transfer_encoding and var.server_protocol ~= "HTTP/2.0" then
    return false
  end
  ngx.req.read_body()
  length = length_read()
  return not length or length > limit
end

return _M
