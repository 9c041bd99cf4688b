-- What every worker process does once a second: it says that it lives, and adds what it counted to shared memory. A worker that is stopped
-- or hangs says nothing any more, while the others serve and the kernel goes on to give it connections.
local ffi = require "ffi"
local store = require "tideline.store"
local lines = require "tideline.lines"
local measure = require "tideline.measure"
local tries = require "tideline.tries"

ffi.cdef("extern volatile uintptr_t ngx_current_msec;")

local _M = {}

local SECONDS = 1
local ALIVE, PID = "alive_", "pid_"

-- The monotonic clock of nginx, which all processes of a machine share.
local function now()
  return tonumber(ffi.C.ngx_current_msec)
end

-- Notes that this worker lives.
function _M.note()
  store.state:set(ALIVE .. ngx.worker.id(), now())
  store.state:set(PID .. ngx.worker.id(), ngx.worker.pid())
end

-- Nothing of this may be compiled: a function of requests that is hot before any request came is compiled from there on (start.lua).
local function beat(ending)
  if ending then
    return
  end
  jit.off()
  local ok, err = pcall(function()
    _M.note()
    tries.flush()
    measure.flush()
    lines.flush()
  end)
  jit.on()
  if not ok then
    ngx.log(ngx.ERR, "beat: ", err)
  end
end

-- To be called when a worker begins.
function _M.start()
  _M.note()
  local ok, err = ngx.timer.every(SECONDS, beat)
  if not ok then
    ngx.log(ngx.ERR, "beat: ", err)
  end
end

-- The workers, and for how many milliseconds each has said nothing. The one that answers this lives.
function _M.workers()
  _M.note()
  local workers = {}
  for id = 0, ngx.worker.count() - 1 do
    local alive = store.state:get(ALIVE .. id)
    if alive then
      workers[#workers + 1] = { pid = store.state:get(PID .. id), silentMs = math.max(0, now() - alive) }
    end
  end
  return workers
end

return _M
