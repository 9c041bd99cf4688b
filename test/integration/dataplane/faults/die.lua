-- A worker dies by SIGKILL just before its n-th write to shared memory after the beginning of a push. The file `die-at` has
-- `n`. The worker that dies leaves the file `held`, and while that exists no push begins. A push that ends before its n-th
-- write leaves the file `count` with the number of its writes.
local ffi = require "ffi"
local store = require "tideline.store"

local SIGKILL = 9
local writes = { "add", "delete", "flush_all", "flush_expired", "incr", "replace", "safe_add", "safe_set", "set" }
local armed, left

local function read(name)
  local file = io.open(FOLDER .. "/" .. name)
  if not file then
    return nil
  end
  local text = file:read("*a")
  file:close()
  return text
end

local function write(name, text)
  local file = assert(io.open(FOLDER .. "/" .. name, "w"))
  file:write(text)
  file:close()
end

local zone = getmetatable(ngx.shared.tideline_state).__index
for _, name in ipairs(writes) do
  local operation = assert(zone[name])
  zone[name] = function(...)
    if left then
      left = left - 1
      if left == 0 then
        write("held", "")
        ffi.C.kill(ngx.worker.pid(), SIGKILL)
      end
    end
    return operation(...)
  end
end

local function arm()
  armed = tonumber(read("die-at") or "")
  left = armed
  os.remove(FOLDER .. "/die-at")
end

local function disarm()
  if left then
    write("count", tostring(armed - left))
    left = nil
  end
end

local begin, delta, commit = store.begin, store.delta, store.commit
local function held()
  if read("held") then
    return { status = 503, reason = "Busy", message = "held" }
  end
end

function store.begin(...)
  local failure = held()
  if failure then
    return nil, failure
  end
  arm()
  return begin(...)
end

function store.delta(...)
  local failure = held()
  if failure then
    return nil, failure
  end
  arm()
  local generation, why = delta(...)
  disarm()
  return generation, why
end

function store.commit(...)
  local generation, why = commit(...)
  disarm()
  return generation, why
end
