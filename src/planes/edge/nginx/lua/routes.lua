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

-- The longest prefix of `path` among those with more elements than end at `slash`, else `best`.
local function deeper(host, path, slash, depth, best)
  while depth < host.depth do
    local next_slash = path:find("/", slash + 1, true)
    if not next_slash then
      return host.prefix[without_trailing_slash(path)] or best
    end
    best = host.prefix[path:sub(1, next_slash - 1)] or best
    slash, depth = next_slash, depth + 1
  end
  return best
end

-- The route of a normalised, decoded path ({ backend = key, settings = ... }), or nil. The path is read from its beginning and no further than the longest prefix,
-- so thousands of slashes cost nothing. Paths of up to two elements are matched without a loop (see README.md, "Machine code").
function _M.match(host, path)
  local found = host.exact[path]
  if found then
    return found
  end
  local best = host.prefix[""] or host.default
  if host.depth == 0 then
    return best
  end
  local slash = path:find("/", 2, true)
  if not slash then
    return host.prefix[without_trailing_slash(path)] or best
  end
  best = host.prefix[path:sub(1, slash - 1)] or best
  if host.depth == 1 then
    return best
  end
  local second = path:find("/", slash + 1, true)
  if not second then
    return host.prefix[without_trailing_slash(path)] or best
  end
  best = host.prefix[path:sub(1, second - 1)] or best
  return host.depth == 2 and best or deeper(host, path, second, 2, best)
end

return _M
