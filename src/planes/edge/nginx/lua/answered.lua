-- Requests that the edge answers itself instead of a pod, counted by reason since nginx started (all workers together).
local store = require "tideline.store"

local measure = require "tideline.measure"

local _M = {}

local PREFIX = "answered_"
local REASONS = {
  "AccessAnnotationInvalid",
  "AccessAnnotationUnsupported",
  "AccessPathRefused",
  "AccessSiblingRefused",
  "BodyTooLarge",
  "ClientDenied",
  "ClientNotAllowed",
  "ClientOverLimit",
  "ClientUnreadable",
  "HostMissing",
  "HostPortInvalid",
  "HostUnknown",
  "HttpsRequired",
  "NoEndpoints",
  "NoTable",
  "PathUnknown",
  "Redirected",
  "ResponseCodingUnsupported",
  "ResponseHeadInvalid",
  "ResponseInterim",
  "ResponseLengthInvalid",
  "ResponseNotHttp",
  "ResponseUpgradeUnasked",
  "SettingsInvalid",
}

measure.reasons = REASONS

-- Notes the reason for the access log and for what is measured of the host, and counts it.
function _M.count(reason)
  ngx.var.tideline_reason = reason
  ngx.ctx.reason = reason
  store.state:incr(PREFIX .. reason, 1, 0)
end

-- Whether the reason is a fault of a pod's response.
function _M.is_of_response(reason)
  return reason:find("^Response") ~= nil
end

-- How many requests were answered so, by reason.
function _M.counts()
  local counts = {}
  for _, reason in ipairs(REASONS) do
    counts[reason] = store.state:get(PREFIX .. reason) or 0
  end
  return counts
end

return _M
