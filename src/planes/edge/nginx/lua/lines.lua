-- Which requests have a line in the access log: all, none, or a sample whose size is bounded, because the journal drops what comes too
-- fast, whatever it is. Each worker decides by what it saw in the second before. The agent says the mode, at any time.
local measure = require "tideline.measure"
local store = require "tideline.store"

local _M = {}

-- Lines a second of a blade, of all its workers: ordinary ones, and besides those of requests that failed or were refused. In the 30 s of
-- journald's RateLimitIntervalSec that is less than its RateLimitBurst of 10,000.
local ORDINARY, FAILED = 200, 100

local mode = "sampled"
-- One in so many ordinary requests has a line.
local each = 1
local turn, seen, failed, most_failed, left_out = 0, 0, 0, FAILED, 0

local function leave_out()
  left_out = left_out + 1
  ngx.var.tideline_logged = ""
end

local function sample(status, reason)
  if (status >= 500 or reason) and failed < most_failed then
    failed = failed + 1
    return
  end
  turn = turn + 1
  if turn < each then
    return leave_out()
  end
  turn = 0
  ngx.var.tideline_sample = each
end

-- To be called for each request at its end, before nginx writes its line.
function _M.choose()
  seen = seen + 1
  if mode == "none" then
    return leave_out()
  end
  if each > 1 then
    return sample(ngx.status, ngx.ctx.reason)
  end
end

-- Measures the request and chooses whether it has a line.
function _M.log()
  measure.log()
  return _M.choose()
end

-- Once a second: how many lines there may be until the next.
function _M.flush()
  mode = store.state:get("access_log") or "sampled"
  local share = math.max(1, math.floor(ORDINARY / ngx.worker.count()))
  most_failed = math.max(1, math.floor(FAILED / ngx.worker.count()))
  each = mode == "sampled" and math.max(1, math.ceil(seen / share)) or 1
  seen, failed = 0, 0
  if left_out > 0 then
    measure.leave_out_lines(left_out)
    left_out = 0
  end
end

return _M
