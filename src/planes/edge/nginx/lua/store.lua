-- The routing table in shared memory, with two versions of an entry while it changes.
--
-- For every entry `name` of a zone there is a pointer `p<name>` and a value `d<generation>/<name>`. The pointer names the
-- newest generation the entry has a version of, and the one before it while a change is under way. A change is written
-- under a generation that nobody reads yet (staging), and becomes the truth for all worker processes at once when the one
-- key `generation` is set (commit). Readers take the newest version that is not newer than the generation they read.
-- What a commit replaced is deleted after it; a reader that notices that the generation moved while it read starts again.
--
-- Nothing is ever evicted: only safe_set is used, and when memory is short the staged versions are removed again.
local ffi = require "ffi"

ffi.cdef([[
int kill(int pid, int signal);
]])

local _M = {}

local zones = {
  hosts = ngx.shared.tideline_hosts,
  backends = ngx.shared.tideline_backends,
  certificates = ngx.shared.tideline_certificates,
}
local kinds = { "hosts", "backends", "certificates" }
local letters = { hosts = "h", backends = "b", certificates = "c" }
local kind_of_letter = { h = "hosts", b = "backends", c = "certificates" }
local state = ngx.shared.tideline_state

_M.zones = zones
_M.kinds = kinds
_M.state = state

local NONE = string.rep("0", 16)
-- Changes are logged by name for workers to drop what they decoded; a longer log says `*`: drop everything.
local LOG_BYTES = 16384
local LOG_KEPT = 128
local LOCK_SECONDS = 10

local function padded(generation)
  return string.format("%016.0f", generation)
end

local function read_pointer(zone, name)
  local text = zone:get("p" .. name)
  if not text then
    return NONE, "x", NONE, "x", NONE
  end
  return text:sub(1, 16), text:sub(17, 17), text:sub(18, 33), text:sub(34, 34), text:sub(35, 50)
end

-- Always 50 bytes, so that rewriting a pointer needs no new memory.
local function write_pointer(zone, name, newest, newest_flag, before, before_flag, seen)
  return zone:safe_set("p" .. name, newest .. newest_flag .. before .. before_flag .. seen)
end

-- The entry as of `generation`, or nil. Right only if the generation is still the same after the read (see cache.lua).
function _M.read(kind, name, generation)
  local zone = zones[kind]
  local text = zone:get("p" .. name)
  if not text then
    return nil
  end
  local at, flag = text:sub(1, 16), text:sub(17, 17)
  if at > padded(generation) then
    at, flag = text:sub(18, 33), text:sub(34, 34)
  end
  if flag ~= "v" then
    return nil
  end
  return zone:get("d" .. at .. "/" .. name)
end

function _M.generation()
  return state:get("generation") or 0
end

-- What changed in one generation: `<letter><name>` lines; `*` or nil means that anything may have changed.
function _M.log(generation)
  return state:get("log" .. padded(generation))
end

-- A worker that was killed while it wrote does not release its lock. Only one of the workers that notice this takes the lock
-- away.
local function free_lock_of_the_dead()
  local holder = state:get("lock")
  if holder and ffi.C.kill(holder, 0) ~= 0 and state:safe_add("dead" .. holder, true, LOCK_SECONDS) then
    state:delete("lock")
  end
end

-- Runs `action` while no other worker changes the table. Waits at most two seconds for the other worker.
local function locked(action)
  for _ = 1, 400 do
    if state:safe_add("lock", ngx.worker.pid(), LOCK_SECONDS) then
      local ok, result, detail = xpcall(action, debug.traceback)
      state:delete("lock")
      if not ok then
        error(result, 0)
      end
      return result, detail
    end
    free_lock_of_the_dead()
    ngx.sleep(0.005)
  end
  return nil, { status = 503, reason = "Busy", message = "another change is being written" }
end

-- Brings one entry to rest: a version newer than the generation in force never happened, and what is older than the
-- version in force is not needed any more. Returns true when the entry exists.
local function settle_entry(zone, name, in_force)
  local newest, flag, before, before_flag = read_pointer(zone, name)
  if newest == NONE then
    return false
  end
  if newest > in_force then
    zone:delete("d" .. newest .. "/" .. name)
    newest, flag, before, before_flag = before, before_flag, NONE, "x"
  end
  if before_flag == "v" then
    zone:delete("d" .. before .. "/" .. name)
  end
  if flag ~= "v" then
    zone:delete("p" .. name)
    return false
  end
  write_pointer(zone, name, newest, flag, NONE, "x", NONE)
  return true
end

local function names_in(zone)
  local names = {}
  for _, key in ipairs(zone:get_keys(0)) do
    if key:byte(1) == 112 then
      names[#names + 1] = key:sub(2)
    end
  end
  return names
end

-- Lets the worker serve requests between the steps of a long walk, and keeps the lock. It does not call sleep(0), because an
-- nginx without OpenResty's patches writes a warning for each such call.
local function serve_requests(step)
  if step % 250 == 0 then
    state:set("lock", ngx.worker.pid(), LOCK_SECONDS)
    ngx.sleep(0.001)
  end
end

-- Brings entries to rest after a commit, an abort, or the death of a worker in the middle of one. `log` names the entries
-- concerned; `*` means all.
local function settle(log)
  local in_force = padded(_M.generation())
  if log ~= "*" then
    local done = {}
    for line in log:gmatch("[^\n]+") do
      if not done[line] then
        done[line] = true
        local kind, name = kind_of_letter[line:sub(1, 1)], line:sub(2)
        local newest, _, _, before_flag = read_pointer(zones[kind], name)
        local exists = settle_entry(zones[kind], name, in_force)
        if newest == in_force and exists ~= (before_flag == "v") then
          state:incr("count_" .. kind, exists and 1 or -1)
        end
      end
    end
  else
    for _, kind in ipairs(kinds) do
      local count = 0
      for step, name in ipairs(names_in(zones[kind])) do
        if settle_entry(zones[kind], name, in_force) then
          count = count + 1
        end
        serve_requests(step)
      end
      state:set("count_" .. kind, count)
    end
  end
  state:set("staging", 0)
end

local function abort(transaction)
  local log = state:get("staging_log") or "*"
  -- A transaction whose worker died after the commit has happened, so its log stays.
  if transaction > _M.generation() then
    state:safe_set("log" .. padded(transaction), "")
  end
  settle(log)
end

local function gone(transaction)
  if state:get("staging") ~= transaction then
    return { status = 409, reason = "TransactionGone", message = "no such transaction is open" }
  end
end

local function full(kind, transaction, message)
  abort(transaction)
  local zone = "tideline_" .. kind
  return { status = 507, reason = "SharedMemoryFull", zone = zone, message = zone .. ": " .. message }
end

local function begin(instance, generation, replace)
  local open = state:get("staging")
  if open ~= 0 then
    -- The open transaction is the unfinished push of another agent, or its worker died: the last one to begin wins.
    state:set("staging_log", "*")
    abort(open)
  end
  local in_force = _M.generation()
  if instance ~= state:get("instance") or (not replace and generation ~= in_force) then
    return nil, { status = 409, reason = "GenerationMismatch", message = "the table is not the one this change starts from" }
  end
  local transaction = state:incr("sequence", 1)
  state:delete("log" .. padded(transaction - LOG_KEPT))
  state:set("staging_log", "")
  state:set("staging_replace", replace)
  state:set("staging", transaction)
  return transaction
end

-- Keeps an entry that a replacing transaction names without a new version.
local function keep(kind, name, transaction)
  local newest, flag, before, before_flag = read_pointer(zones[kind], name)
  if newest ~= NONE then
    write_pointer(zones[kind], name, newest, flag, before, before_flag, padded(transaction))
  end
end

-- Writes one version of an entry (nil: deleted). Returns why there is no memory for it, or nil and whether anything changed.
local function put(kind, name, value, transaction, replace)
  local zone, at = zones[kind], padded(transaction)
  local newest, flag, before, before_flag = read_pointer(zone, name)
  local staged = newest == at
  if not staged then
    before, before_flag = newest, flag
  end
  local seen = replace and at or NONE
  local old = before_flag == "v" and zone:get("d" .. before .. "/" .. name) or nil
  if value == old then
    if staged then
      zone:delete("d" .. at .. "/" .. name)
    end
    if old == nil then
      zone:delete("p" .. name)
    elseif staged or replace then
      write_pointer(zone, name, before, before_flag, NONE, "x", seen)
    end
    return nil, staged
  end
  if value == nil then
    zone:delete("d" .. at .. "/" .. name)
  else
    local ok, err = zone:safe_set("d" .. at .. "/" .. name, value)
    if not ok then
      return err, false
    end
  end
  local ok, err = write_pointer(zone, name, at, value == nil and "x" or "v", before, before_flag, seen)
  if not ok then
    zone:delete("d" .. at .. "/" .. name)
    return err, false
  end
  return nil, true
end

-- `changes` is a list of { kind, name, value }. An entry without a value is deleted, or left as it is with `keep`.
local function stage(transaction, changes)
  local failure = gone(transaction)
  if failure then
    return nil, failure
  end
  local replace = state:get("staging_replace")
  local log = state:get("staging_log")
  -- If this worker dies before the log is complete, every entry is brought to rest.
  state:set("staging_log", "*")
  local names = {}
  local function logged()
    local text = log == "*" and log or log .. table.concat(names)
    if #text > LOG_BYTES or not state:safe_set("staging_log", text) then
      state:set("staging_log", "*")
    end
  end
  for _, change in ipairs(changes) do
    local err, changed
    if change.keep then
      keep(change.kind, change.name, transaction)
    else
      err, changed = put(change.kind, change.name, change.value, transaction, replace)
    end
    if err then
      logged()
      return nil, full(change.kind, transaction, err)
    end
    if changed and log ~= "*" then
      names[#names + 1] = letters[change.kind] .. change.name .. "\n"
    end
  end
  logged()
  return true
end

local function delete_unseen(transaction)
  local at = padded(transaction)
  for _, kind in ipairs(kinds) do
    for step, name in ipairs(names_in(zones[kind])) do
      local _, _, _, _, seen = read_pointer(zones[kind], name)
      if seen ~= at then
        put(kind, name, nil, transaction, true)
      end
      serve_requests(step)
    end
  end
end

local function commit(transaction)
  local failure = gone(transaction)
  if failure then
    return nil, failure
  end
  if state:get("staging_replace") then
    state:set("staging_log", "*")
    delete_unseen(transaction)
  end
  local log = state:get("staging_log")
  if not state:safe_set("log" .. padded(transaction), log) then
    log = "*"
    state:set("staging_log", log)
  end
  state:set("generation", transaction)
  settle(log)
  return transaction
end

-- Opens a transaction from `generation` of `instance`; with `replace`, its commit deletes every entry that it did not name.
function _M.begin(instance, generation, replace)
  return locked(function()
    return begin(instance, generation, replace)
  end)
end

function _M.stage(transaction, changes)
  return locked(function()
    return stage(transaction, changes)
  end)
end

function _M.commit(transaction)
  return locked(function()
    return commit(transaction)
  end)
end

function _M.abort(transaction)
  return locked(function()
    local failure = gone(transaction)
    if failure then
      return nil, failure
    end
    abort(transaction)
    return true
  end)
end

-- Begin, stage and commit in one: other workers see either nothing or all of it.
function _M.delta(instance, generation, changes)
  return locked(function()
    local transaction, failure = begin(instance, generation, false)
    if not transaction then
      return nil, failure
    end
    local staged
    staged, failure = stage(transaction, changes)
    if not staged then
      return nil, failure
    end
    return commit(transaction)
  end)
end

return _M
