-- The shared memory: made when nginx starts, kept when it is reloaded, given up when a worker may have torn it.
--
-- A worker that dies by a signal inside a call of a zone leaves its tree, queue or pages half linked: entries are lost, or
-- each worker that reaches the damaged place dies as well, and no push can mend that. The master takes the lock of the dead
-- worker away and goes on; only the alert that it writes to nginx-alerts.log before the next worker starts shows what
-- happened. New memory needs a new master.
local ffi = require "ffi"
local store = require "tideline.store"

ffi.cdef([[
int getppid(void);
int kill(int pid, int signal);
int open(const char *path, int flags, ...);
int fallocate(int fd, int mode, long offset, long length);
int close(int fd);
]])

local _M = {}

local SIGTERM = 15
local TAIL_BYTES = 65536
local FORGET_BYTES = 1048576
local O_WRONLY_CLOEXEC = 0x80001
-- The file keeps its length: FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE.
local PUNCH_HOLE = 3
-- Anchored at the beginning of a line: text from a client or a pod can stand elsewhere in the log, never there.
local ALERT = '^%%d+/%%d+/%%d+ %%d+:%%d+:%%d+ %%[alert%%] %d#%%d+: shared memory zone "(tideline_%%w+)" was locked by (%%d+)'

local alerts
-- The length of the alerts when the memory was made: earlier alerts are about other memory, even those that name the same
-- pid.
local made_at = 0
-- The offset in the alerts before which everything has been given back to the file system.
local forgotten = 0
local found = false
local looked_at

local function alerts_length()
  local file = io.open(alerts)
  if not file then
    return 0
  end
  local length = file:seek("end")
  file:close()
  return length
end

-- Called in the master when nginx starts and when it is reloaded: memory may be new (empty), kept, or kept in part.
function _M.prepare(run_dir)
  local state, zones, kinds = store.state, store.zones, store.kinds
  alerts = run_dir .. "/nginx-alerts.log"
  local instance = state:get("instance")
  local whole = instance ~= nil
  for _, kind in ipairs(kinds) do
    whole = whole and zones[kind]:get("instance") == instance
  end
  if whole then
    state:incr("reloads", 1)
    made_at = state:get("made_at") or alerts_length()
    return
  end
  local random = assert(io.open("/dev/urandom", "rb"))
  instance = random:read(16):gsub(".", function(byte)
    return string.format("%02x", byte:byte())
  end)
  random:close()
  made_at = alerts_length()
  state:flush_all()
  state:flush_expired()
  state:set("instance", instance)
  state:set("made_at", made_at)
  for _, key in ipairs({ "generation", "sequence", "staging", "reloads" }) do
    state:set(key, 0)
  end
  state:set("staging_replace", false)
  state:set("staging_log", "")
  state:set("draining", false)
  state:delete("refused_notes")
  state:delete("refused_handshakes")
  for _, kind in ipairs(kinds) do
    zones[kind]:flush_all()
    zones[kind]:flush_expired()
    zones[kind]:set("instance", instance)
    state:set("count_" .. kind, 0)
  end
end

-- Gives back to the file system the part of the alerts that is never read again. The run directory is memory, nobody rotates
-- the files in it, and an nginx that has no free connection left writes an alert for each one that it refuses. A file that
-- the worker may not write stays as it is.
local function forget(before)
  forgotten = math.min(forgotten, before)
  if before - forgotten < FORGET_BYTES then
    return
  end
  local fd = ffi.C.open(alerts, O_WRONLY_CLOEXEC)
  if fd < 0 then
    return
  end
  ffi.C.fallocate(fd, PUNCH_HOLE, 0, before)
  ffi.C.close(fd)
  forgotten = before
end

-- The zone and its dead holder in the last alert of this master since the memory was made, or nil.
local function alert(master)
  local file, err = io.open(alerts)
  if not file then
    ngx.log(ngx.ERR, "cannot tell whether shared memory is whole: ", err)
    return nil
  end
  local length = file:seek("end")
  -- A file that is shorter was begun anew since then.
  local from = length < made_at and 0 or made_at
  local tail = math.max(from, length - TAIL_BYTES)
  file:seek("set", tail)
  local text = file:read("*a")
  file:close()
  forget(tail)
  if tail > from then
    text = text:gsub("^[^\n]*\n?", "")
  end
  local pattern = ALERT:format(master)
  local zone, holder
  for line in text:gmatch("[^\n]+") do
    local of, by = line:match(pattern)
    if of then
      zone, holder = of, by
    end
  end
  return zone, holder
end

-- Whether a worker may have torn the memory. The worker that finds this ends nginx, so that its supervisor starts it anew;
-- where the worker may not do that, nginx stays unfit. The alerts are read at most once a second, and the memory itself
-- never.
function _M.torn()
  if found or (looked_at and ngx.now() - looked_at < 1) then
    return found
  end
  looked_at = ngx.now()
  local master = ffi.C.getppid()
  local zone, holder = alert(master)
  if not zone then
    return false
  end
  found = true
  local what = "SharedMemoryTorn: worker " .. holder .. " died while it held " .. zone .. "; "
  if ffi.C.kill(master, 0) == 0 then
    ngx.log(ngx.EMERG, what, "nginx (", master, ") is ended, its next start has everything pushed again")
    ffi.C.kill(master, SIGTERM)
  else
    ngx.log(ngx.EMERG, what, "restart nginx: a worker may not end it unless master and workers are the same user")
  end
  return true
end

return _M
