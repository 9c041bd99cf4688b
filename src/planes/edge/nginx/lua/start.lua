-- The code that runs in the master at every start and reload, and in every worker process when it begins.
local ffi = require "ffi"
local beat = require "tideline.beat"
local certificate = require "tideline.certificate"
local countries = require "tideline.countries"
local endpoints = require "tideline.endpoints"
local forwarded = require "tideline.forwarded"
local lines = require "tideline.lines"
local measure = require "tideline.measure"
local memory = require "tideline.memory"
local request = require "tideline.request"
local response = require "tideline.response"

require "tideline.answers"
require "tideline.control"

ffi.cdef([[
int mkdir(const char *path, unsigned int mode);
int chmod(const char *path, unsigned int mode);
int access(const char *path, int mode);
]])

-- A worker compiles its requests to machine code, and nothing that ran before them: when a function that all requests
-- call (`get_string_buf` of resty.core) was hot in this file already, LuaJIT compiles from there outwards, one caller at a time, and
-- the requests of that worker are interpreted for the most part as long as it lives.
jit.off()

local _M = {}

-- What nginx.conf calls for every request. `require` is no part of that, because LuaJIT cannot compile it.
_G.tideline = {
  enter = request.enter,
  enter_behind_proxy = function()
    forwarded.settle()
    return request.enter()
  end,
  balance = request.balance,
  filter = function()
    local ctx, status = ngx.ctx, ngx.status
    request.answered(ctx, status)
    return response.check(ctx, status)
  end,
  log = measure.log,
  log_with_line = lines.log,
}

local OWNER_ONLY = 384 -- 0600
local OWNER_ENTERS = 448 -- 0700
local MAY_ENTER = 1

-- nginx makes unix sockets with mode 0666 whatever the umask is, and the workers must be able to enter the run directory. So the
-- socket lies in a folder that only the master's user may enter. This runs before nginx opens its sockets.
local function close_control(run_dir)
  local folder = run_dir .. "/nginx-control"
  ffi.C.mkdir(folder, OWNER_ENTERS)
  if ffi.C.chmod(folder, OWNER_ENTERS) ~= 0 then
    error("the folder of the control socket cannot be closed: " .. folder)
  end
end

-- 48 random bits: no two workers, of any blade, name their requests alike.
local function seed()
  local random = assert(io.open("/dev/urandom", "rb"))
  local bytes = random:read(6)
  random:close()
  local hex = bytes:gsub(".", function(byte)
    return string.format("%02x", byte:byte())
  end)
  return tonumber(hex, 16)
end

function _M.master(run_dir, rendered, pools, provider_fields, proxies)
  endpoints.pools = pools
  forwarded.fields = provider_fields
  measure.proxies = proxies
  close_control(run_dir)
  memory.prepare(run_dir)
  certificate.read_static(rendered)
  countries.read(rendered)
end

function _M.worker(run_dir, temporary_dir)
  math.randomseed(seed())
  ffi.C.chmod(run_dir .. "/nginx-control/nginx.sock", OWNER_ONLY)
  if ffi.C.access(temporary_dir .. "/.", MAY_ENTER) ~= 0 then
    ngx.log(ngx.ERR, "the workers may not enter ", temporary_dir, ": large uploads will fail; give it mode 0711")
  end
  memory.torn()
  beat.start()
  jit.flush()
  jit.on()
end

return _M
