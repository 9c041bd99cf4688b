-- The paths of one host (pure). The store has them as a JSON array: [[[match, path, backend], ...], default backend,
-- certificate]. Ingress v1: exact before prefix, then the longest prefix, element by element; case-sensitive.
local cjson = require "cjson.safe"

local _M = {}

local function elements(path)
  local _, slashes = path:gsub("/", "")
  return slashes
end

-- `/foo/` and `/foo` are the same prefix; `/` is the empty one.
local function without_trailing_slash(path)
  if path:byte(-1) == 47 then
    return path:sub(1, -2)
  end
  return path
end

function _M.decode(value)
  local stored = cjson.decode(value)
  local host = { exact = {}, prefix = {}, depth = 0, default = stored[2] or nil, certificate = stored[3] or nil }
  for _, entry in ipairs(stored[1]) do
    if entry[1] == "exact" then
      host.exact[entry[2]] = entry[3]
    else
      local prefix = without_trailing_slash(entry[2])
      host.prefix[prefix] = entry[3]
      host.depth = math.max(host.depth, elements(prefix))
    end
  end
  return host
end

-- The first `depth` elements of the path: longer prefixes cannot match, and a path of thousands of slashes costs nothing.
local function shorten(path, depth)
  local position = 0
  for _ = 1, depth + 1 do
    position = path:find("/", position + 1, true)
    if not position then
      return path
    end
  end
  return path:sub(1, position - 1)
end

-- The backend for a normalised, decoded path, or nil.
function _M.match(host, path)
  local backend = host.exact[path]
  if backend then
    return backend
  end
  local prefix = without_trailing_slash(shorten(path, host.depth))
  while true do
    backend = host.prefix[prefix]
    if backend then
      return backend
    end
    if prefix == "" then
      return host.default
    end
    prefix = prefix:match("^(.*)/") or ""
  end
end

return _M
