-- The settings of a route (pure): checked when they arrive, made ready for requests when a worker reads them. A setting that
-- is not understood may limit access, so it is never left out alone: its route answers 503 instead.
local prefixes = require "tideline.prefixes"

local _M = {}

local MOST_PREFIXES = 4096
local MOST_BYTES = 2048
local CODES = { [301] = true, [302] = true, [303] = true, [307] = true, [308] = true }

local function whole(value, least, most)
  return type(value) == "number" and value % 1 == 0 and value >= least and value <= most
end

local function reason(value)
  return type(value) == "string" and #value <= 63 and value:match("^%u%w*$") ~= nil
end

local function prefix_list(value)
  if type(value) ~= "table" or #value > MOST_PREFIXES then
    return false
  end
  local count = 0
  for _, text in pairs(value) do
    count = count + 1
    if type(text) ~= "string" or not prefixes.parse(text) then
      return false
    end
  end
  return count == #value and count > 0
end

-- Printable ASCII without space and quotation mark: nothing of it can end a line of a response.
local function location(value)
  return type(value) == "string" and #value <= MOST_BYTES and value:match("^[!#-~]+$") ~= nil
end

local function redirect(value)
  return type(value) == "table" and CODES[value.code] == true and location(value.to) and value.to:match("^[$%a]+://") ~= nil
end

local function https(value)
  return type(value) == "table" and CODES[value.code] == true and (value.port == nil or whole(value.port, 1, 65535))
end

local function hsts(value)
  return type(value) == "string" and #value <= 100 and value:match("^max%-age=%d+[; %a]*$") ~= nil
end

local function app_root(value)
  return location(value) and value:match("^/[^/\\]") ~= nil or value == "/"
end

local function seconds(value)
  return whole(value, 1, 86400)
end

local function bytes(value)
  return whole(value, 0, 2 ^ 53)
end

local checks = {
  refused = reason,
  allow = prefix_list,
  deny = prefix_list,
  redirect = redirect,
  https = https,
  hsts = hsts,
  appRoot = app_root,
  maxBodyBytes = bytes,
  connectSeconds = seconds,
  sendSeconds = seconds,
  readSeconds = seconds,
}

-- Whether every member is known and good.
function _M.valid(settings)
  if type(settings) ~= "table" then
    return false
  end
  for member, value in pairs(settings) do
    local check = checks[member]
    if not check or not check(value) then
      return false
    end
  end
  return true
end

-- `settings` as they were stored, with their lists as sets.
function _M.decode(settings)
  settings.allow = prefixes.set(settings.allow)
  settings.deny = prefixes.set(settings.deny)
  return settings
end

return _M
