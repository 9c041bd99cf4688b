-- `/test/hold` on the control socket: the worker says its pid and then is inside one call of a zone or the next, forever.
local control = require "tideline.control"

local serve = control.serve
function control.serve()
  if ngx.var.uri ~= "/test/hold" then
    return serve()
  end
  ngx.say(ngx.worker.pid())
  ngx.flush(true)
  while true do
    ngx.shared.tideline_hosts:get_keys(0)
  end
end
