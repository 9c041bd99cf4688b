-- How tries to reach an endpoint ended: all of them by outcome, and those of the backends that the agent watches. A worker counts in variables
-- of its own and adds them to shared memory once a second, so a request costs an addition.
local store = require "tideline.store"

local _M = {}

local TOTAL, CONNECTED, FAILED = "tries_", "connected_", "failed_"
-- Counts of a backend begin anew after this time; nobody else removes those of a backend that is not watched any more.
local FORGET_SECONDS = 86400
-- Each entry takes about 300 bytes of shared memory.
local MOST_WATCHED = 1024

local total = { connected = 0, refused = 0, silent = 0 }
local watched = {}
local watched_text

function _M.connected(backend)
  total.connected = total.connected + 1
  local own = watched[backend.key]
  if own then
    own.connected = own.connected + 1
  end
end

-- `silent`: the endpoint did not answer in time; else it, or a router, refused at once.
function _M.failed(backend, silent)
  if silent then
    total.silent = total.silent + 1
  else
    total.refused = total.refused + 1
  end
  local own = watched[backend.key]
  if own then
    own.failed = own.failed + 1
  end
end

local function add(key, count)
  if count > 0 then
    store.state:incr(key, count, 0, FORGET_SECONDS)
  end
  return 0
end

local function keys(text)
  return (text or ""):gmatch("[^\n]+")
end

-- Adds what this worker counted, and takes over which backends are watched.
function _M.flush()
  for outcome, count in pairs(total) do
    if count > 0 then
      store.state:incr(TOTAL .. outcome, count, 0)
      total[outcome] = 0
    end
  end
  for key, own in pairs(watched) do
    own.connected = add(CONNECTED .. key, own.connected)
    own.failed = add(FAILED .. key, own.failed)
  end
  local text = store.state:get("watched")
  if text == watched_text then
    return
  end
  watched, watched_text = {}, text
  for key in keys(text) do
    watched[key] = { connected = 0, failed = 0 }
  end
end

-- Watches these backends and no others, at most MOST_WATCHED.
function _M.watch(list)
  return store.state:safe_set("watched", table.concat(list, "\n", 1, math.min(#list, MOST_WATCHED)))
end

-- All tries since nginx started, by outcome.
function _M.totals()
  local counts = {}
  for outcome in pairs(total) do
    counts[outcome] = store.state:get(TOTAL .. outcome) or 0
  end
  return counts
end

-- `{ connected, failed }` of each watched backend of which a try has failed.
function _M.of_backends()
  local counts = {}
  for key in keys(store.state:get("watched")) do
    local failed = store.state:get(FAILED .. key)
    if failed then
      counts[key] = { store.state:get(CONNECTED .. key) or 0, failed }
    end
  end
  return counts
end

return _M
