-- `/test/hold` on the control socket: the worker answers with its pid and then calls a zone again and again, forever.
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
