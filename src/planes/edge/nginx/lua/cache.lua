-- The entries of the table that this worker process has decoded, as of one generation. Only entries that exist are kept, so
-- requests for unknown hosts cannot make it grow. `snapshot` is the only way to read: whatever it runs sees one generation.
local store = require "tideline.store"
local routes = require "tideline.routes"
local endpoints = require "tideline.endpoints"

local _M = {}

local at = 0
local decoded = { hosts = {}, backends = {} }
local decoders = { hosts = routes.decode, backends = endpoints.decode }
local kind_of_letter = { h = "hosts", b = "backends" }
local loaded = false
-- Backends that changed once since they were decoded, and of whose endpoints something is known that the next version inherits.
-- After a second change nobody knows any more whether an address is still that of the same pod.
local outdated = {}

local function forget_all()
  decoded = { hosts = {}, backends = {} }
  outdated = {}
end

local function forget(kind, name)
  local entry = decoded[kind][name]
  decoded[kind][name] = nil
  if kind == "backends" then
    outdated[name] = entry and endpoints.worth_keeping(entry) and entry or nil
  end
end

-- Drops what changed between the generation of the cache and `generation`.
local function follow(generation)
  if generation < at or generation - at > 100 then
    forget_all()
  else
    for step = at + 1, generation do
      local log = store.log(step)
      if log == nil or log == "*" then
        forget_all()
        break
      end
      for line in log:gmatch("[^\n]+") do
        local kind = kind_of_letter[line:sub(1, 1)]
        if kind then
          forget(kind, line:sub(2))
        end
      end
    end
  end
  at = generation
end

-- The decoded entry or nil. To be called inside `snapshot` only.
function _M.get(kind, name)
  local entry = decoded[kind][name]
  if entry ~= nil then
    return entry
  end
  local value = store.read(kind, name, at)
  loaded = true
  if value == nil then
    return nil
  end
  entry = decoders[kind](value, kind == "backends" and outdated[name] or nil, name)
  decoded[kind][name] = entry
  outdated[name] = nil
  return entry
end

-- The raw value of an entry or nil. To be called inside `snapshot` only.
function _M.raw(kind, name)
  loaded = true
  return store.read(kind, name, at)
end

-- Runs `read` (which must not yield) on one generation, and again when a commit came in between; returns the generation and
-- the results of `read`.
-- It begins again by a tail call, because LuaJIT gives up code that runs for every request when there is a loop in it.
function _M.snapshot(read, argument, other)
  local generation = store.generation()
  if generation ~= at then
    follow(generation)
  end
  loaded = false
  local first, second, third, fourth = read(argument, other)
  if not loaded or store.generation() == generation then
    return generation, first, second, third, fourth
  end
  return _M.snapshot(read, argument, other)
end

return _M
