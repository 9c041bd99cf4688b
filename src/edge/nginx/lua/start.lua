-- What runs once: in the master at every start and reload, and in every process when it begins.
local ffi = require "ffi"
local store = require "tideline.store"

require "tideline.answers"
require "tideline.certificate"
require "tideline.control"
require "tideline.request"

ffi.cdef([[
int chmod(const char *path, unsigned int mode);
]])

local _M = {}

function _M.master()
  store.prepare()
end

-- nginx makes unix sockets with mode 0666 whatever the umask is. Only the socket's owner may change that: a worker when
-- nginx runs under one user, else the agent does it when it connects (driver.ts).
function _M.worker(socket)
  math.randomseed(ngx.now() * 1000 + ngx.worker.pid() * 7919)
  ffi.C.chmod(socket, 384)
end

return _M
