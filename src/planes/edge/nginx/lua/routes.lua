-- The paths of one host (pure). The store has them as a JSON array: [[[match, path, backend, settings], ...], default backend,
-- certificate, settings of the default backend, [settings, ...]]; settings are named by their place in the list, counted from
-- 1, or absent. Ingress v1: exact before prefix, then the longest prefix, element by element; case-sensitive.
local cjson = require "cjson.safe"
local settings = require "tideline.settings"

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
  local host = { exact = {}, prefix = {}, depth = 0, certificate = stored[3] or nil }
  local list = {}
  for index, one in ipairs(stored[5] or {}) do
    list[index] = settings.decode(one)
  end
  if stored[2] then
    host.default = { backend = stored[2], settings = list[stored[4]] }
  end
  for _, entry in ipairs(stored[1]) do
    local route = { backend = entry[3], settings = list[entry[4]] }
    if entry[1] == "exact" then
      host.exact[entry[2]] = route
    else
      local prefix = without_trailing_slash(entry[2])
      host.prefix[prefix] = route
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

-- The route of a normalised, decoded path ({ backend = key, settings = ... }), or nil.
function _M.match(host, path)
  local route = host.exact[path]
  if route then
    return route
  end
  local prefix = without_trailing_slash(shorten(path, host.depth))
  while true do
    route = host.prefix[prefix]
    if route then
      return route
    end
    if prefix == "" then
      return host.default
    end
    prefix = prefix:match("^(.*)/") or ""
  end
end

return _M
