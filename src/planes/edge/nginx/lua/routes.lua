-- The paths of one host (pure). The store has them as a JSON array: [[[match, path, backend, settings], ...], default backend,
-- certificate, settings of the default backend, [settings, ...]]; settings are named by their place in the list, counted from
-- 1, or absent. Ingress v1: exact before prefix, then the longest prefix, element by element; case-sensitive. Beside these there
-- are the paths of ingress-nginx that limit access: `text` is every path that begins with the text, `anyCaseText` and
-- `anyCasePrefix` (by element) regard no case (of ASCII, as PCRE does there). The longest match wins; of the same length, what
-- matches less: `prefix`, `text`, `anyCasePrefix`, `anyCaseText`.
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

-- Notes a path that is matched by its characters.
local function add_text(host, match, text, route)
  if match ~= "text" then
    text = text:lower()
  end
  local texts = host.texts
  if not texts then
    texts = { text = {}, anyCaseText = {}, anyCasePrefix = {}, lengths = {} }
    host.texts = texts
  end
  texts[match][text] = route
  route.length = #text
  texts.lengths[#texts.lengths + 1] = #text
end

-- Leaves each length once, the longest first.
local function sort_lengths(texts)
  local known, lengths = {}, {}
  for _, length in ipairs(texts.lengths) do
    if not known[length] then
      known[length] = true
      lengths[#lengths + 1] = length
    end
  end
  table.sort(lengths, function(a, b)
    return a > b
  end)
  texts.lengths = lengths
end

function _M.decode(value, _, name)
  local stored = cjson.decode(value)
  local host = { name = name, exact = {}, prefix = {}, depth = 0, certificate = stored[3] or nil }
  local list = {}
  for index, one in ipairs(stored[5] or {}) do
    list[index] = settings.decode(one)
  end
  if stored[2] then
    host.default = { backend = stored[2], settings = list[stored[4]], length = 0 }
  end
  for _, entry in ipairs(stored[1]) do
    local route = { backend = entry[3], settings = list[entry[4]] }
    if entry[1] == "exact" then
      route.length = math.huge
      host.exact[entry[2]] = route
    elseif entry[1] == "prefix" then
      local prefix = without_trailing_slash(entry[2])
      route.length = #prefix
      host.prefix[prefix] = route
      host.depth = math.max(host.depth, elements(prefix))
    else
      add_text(host, entry[1], entry[2], route)
    end
  end
  if host.texts then
    sort_lengths(host.texts)
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

-- The route whose text `path` begins with, if the text is longer than what `best` matched, else `best`. It costs a few steps for
-- each length that the texts of the host have.
local function longer(texts, path, best)
  local least, lower = best and best.length or 0, path:lower()
  for _, length in ipairs(texts.lengths) do
    if length <= least then
      return best
    end
    if length <= #path then
      local head = lower:sub(1, length)
      local route = texts.text[path:sub(1, length)]
      if not route and (length == #path or path:byte(length + 1) == 47) then
        route = texts.anyCasePrefix[head]
      end
      route = route or texts.anyCaseText[head]
      if route then
        return route
      end
    end
  end
  return best
end

-- The route of exact paths and of prefixes by element. The path is read from its beginning and no further than the longest
-- prefix, so thousands of slashes cost nothing. Paths of up to two elements are matched without a loop (see README.md, "Machine
-- code").
local function by_element(host, path)
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

-- The route of a normalised, decoded path ({ backend = key, settings = ... }), or nil.
function _M.match(host, path)
  local best = by_element(host, path)
  if host.texts then
    return longer(host.texts, path, best)
  end
  return best
end

return _M
