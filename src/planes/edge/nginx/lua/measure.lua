-- What is measured of requests: by host, and by the country of the client. A worker counts in tables of its own and adds them to shared
-- memory once a second, so a request costs some additions, no lock and no search: what must be searched (the country of an address that is
-- new to this worker) waits for that second as well. Nothing here may have a loop that runs for a request (README.md, "Machine code").
local ffi = require "ffi"
local countries = require "tideline.countries"
local store = require "tideline.store"

ffi.cdef("extern volatile uintptr_t ngx_current_msec;")

local _M = {}

local zone = ngx.shared.tideline_requests

-- Places in ngx.ctx. They are numbers, because a table with as few names as possible is cheaper for every request.
local CELL, SINCE, ASKED, HEAD = 1, 2, 3, 4

-- The bounds of the histograms in milliseconds; src/planes/edge/requests/counts.ts has the same.
local LATENCY = { 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000 }
local COUNTRY_LATENCY = { 50, 100, 250, 500, 1000, 2500 }
local ROUND_TRIP = { 5, 10, 20, 50, 100, 200, 400 }

-- A cell of a host: requests; by class of status, 1xx to 5xx and none; the sum of milliseconds and the histogram of the whole; the same of
-- the pod. A cell of a country: requests, failures; sum and histogram of the whole; sum and histogram of round trips.
local REQUESTS, CLASS, NO_STATUS, WHOLE = 1, 1, 7, 8
local POD = WHOLE + #LATENCY + 2
local HOST_SIZE = POD + #LATENCY + 1
local FAILURES, TAKEN = 2, 3
local TRIP = TAKEN + #COUNTRY_LATENCY + 2
local COUNTRY_SIZE = TRIP + #ROUND_TRIP + 1

-- Of this many requests one has its round-trip time read, which is a call of the kernel.
local EACH_TRIP = 16
-- Requests a second of clients that are new to this worker; those beyond count as of an unknown country.
local MOST_PENDING = 4096
local MOST_ADDRESSES = 8192
local MOST_HOSTS = 200

local OTHER, NONE, UNKNOWN = "(other)", "(none)", "unknown"

local function new_cell(size)
  local cell = {}
  for place = 1, size do
    cell[place] = 0
  end
  return cell
end

-- The place in a histogram by milliseconds; what is longer than the last bound has none.
local function places(bounds)
  local of, place = {}, 1
  for ms = 0, bounds[#bounds] do
    if ms > bounds[place] then
      place = place + 1
    end
    of[ms] = place
  end
  return of
end

local latency_place, country_place, trip_place = places(LATENCY), places(COUNTRY_LATENCY), places(ROUND_TRIP)
local BEYOND, COUNTRY_BEYOND, TRIP_BEYOND = #LATENCY + 1, #COUNTRY_LATENCY + 1, #ROUND_TRIP + 1

local class_of = {}
for status = 100, 599 do
  class_of[status] = CLASS + math.floor(status / 100)
end

local other, none, unknown = new_cell(HOST_SIZE), new_cell(HOST_SIZE), new_cell(COUNTRY_SIZE)
local hosts, hosts_text = {}, nil
local by_country = { [UNKNOWN] = unknown }
local by_address, addresses = {}, 0
local pending, pending_status, pending_ms, pending_trip, waiting = {}, {}, {}, {}, 0
local turn, left_out = 0, 0

-- Whether some clients come by proxies, whose round-trip time is not that of the client; nginx.conf says so.
_M.proxies = false

local function now()
  return tonumber(ffi.C.ngx_current_msec)
end
_M.now = now

-- The cell of a host of the table; nil is for requests that no host takes.
function _M.cell(name)
  return name and (hosts[name] or other) or none
end

local function note_reason(cell, reason)
  local reasons = cell.reasons
  if not reasons then
    reasons = {}
    cell.reasons = reasons
  end
  reasons[reason] = (reasons[reason] or 0) + 1
end

-- The milliseconds of the kernel's round-trip time of the connection for one in EACH_TRIP requests, else false.
local function round_trip()
  turn = turn + 1
  if turn < EACH_TRIP then
    return false
  end
  turn = 0
  local var = ngx.var
  if _M.proxies and var.tideline_proxy == "1" then
    left_out = left_out + 1
    return false
  end
  local micros = tonumber(var.tcpinfo_rtt)
  return micros and micros / 1000 or false
end

local function count(cell, status, ms, trip)
  cell[REQUESTS] = cell[REQUESTS] + 1
  if status >= 500 then
    cell[FAILURES] = cell[FAILURES] + 1
  end
  if ms then
    cell[TAKEN] = cell[TAKEN] + ms
    local place = TAKEN + (country_place[ms] or COUNTRY_BEYOND)
    cell[place] = cell[place] + 1
  end
  if trip then
    cell[TRIP] = cell[TRIP] + trip
    local place = TRIP + (trip_place[math.ceil(trip)] or TRIP_BEYOND)
    cell[place] = cell[place] + 1
  end
end

local function count_country(status, ms)
  local address = ngx.var.binary_remote_addr
  local trip = round_trip()
  local cell = by_address[address]
  if cell then
    return count(cell, status, ms, trip)
  end
  if waiting == MOST_PENDING then
    return count(unknown, status, ms, trip)
  end
  waiting = waiting + 1
  pending[waiting], pending_status[waiting], pending_ms[waiting], pending_trip[waiting] = address, status, ms, trip
end

local function count_host(cell, ctx, status)
  local class = class_of[status] or NO_STATUS
  cell[REQUESTS], cell[class] = cell[REQUESTS] + 1, cell[class] + 1
  if ctx.reason then
    note_reason(cell, ctx.reason)
  end
  local since = ctx[SINCE]
  if not since or status == 101 then
    return false
  end
  local ms = now() - since
  local place = WHOLE + (latency_place[ms] or BEYOND)
  cell[WHOLE], cell[place] = cell[WHOLE] + ms, cell[place] + 1
  local head = ctx[HEAD]
  if head then
    local pod = head - ctx[ASKED]
    place = POD + (latency_place[pod] or BEYOND)
    cell[POD], cell[place] = cell[POD] + pod, cell[place] + 1
  end
  return ms
end

-- To be called for each request at its end.
function _M.log()
  local ctx, status = ngx.ctx, ngx.status
  local ms = count_host(ctx[CELL] or none, ctx, status)
  count_country(status, ms)
end

-- The cell of an address, which costs a search.
local function cell_of(address)
  local code = countries.of(address) or UNKNOWN
  local cell = by_country[code]
  if not cell then
    cell = new_cell(COUNTRY_SIZE)
    by_country[code] = cell
  end
  if addresses == MOST_ADDRESSES then
    by_address, addresses = {}, 0
  end
  by_address[address], addresses = cell, addresses + 1
  return cell
end

local function settle()
  for index = 1, waiting do
    local address = pending[index]
    count(by_address[address] or cell_of(address), pending_status[index], pending_ms[index], pending_trip[index])
  end
  waiting = 0
end

local function add(prefix, name, cell, size)
  if cell[REQUESTS] == 0 then
    return
  end
  for place = 1, size do
    if cell[place] > 0 then
      zone:incr(prefix .. place .. " " .. name, cell[place], 0)
      cell[place] = 0
    end
  end
  for reason, times in pairs(cell.reasons or {}) do
    zone:incr("r" .. reason .. " " .. name, times, 0)
  end
  cell.reasons = nil
end

-- Forgets the counts of a host that has left the list. Every worker does so after its last addition to them.
local function forget(name)
  for place = 1, HOST_SIZE do
    zone:delete("h" .. place .. " " .. name)
  end
  for _, reason in ipairs(_M.reasons) do
    zone:delete("r" .. reason .. " " .. name)
  end
end

local function listed(text)
  return (text or ""):gmatch("([^\n]*)\n")
end

local function take_list()
  local text = store.state:get("measured")
  if text == hosts_text then
    return
  end
  local before = hosts
  hosts, hosts_text = {}, text
  for name in listed(text) do
    hosts[name] = before[name] or new_cell(HOST_SIZE)
    before[name] = nil
  end
  for name in pairs(before) do
    forget(name)
  end
end

-- Adds what this worker counted, and takes over which hosts are measured one by one.
function _M.flush()
  settle()
  for name, cell in pairs(hosts) do
    add("h", name, cell, HOST_SIZE)
  end
  add("h", OTHER, other, HOST_SIZE)
  add("h", NONE, none, HOST_SIZE)
  for code, cell in pairs(by_country) do
    add("c", code, cell, COUNTRY_SIZE)
  end
  if left_out > 0 then
    zone:incr("left_out", left_out, 0)
    left_out = 0
  end
  take_list()
end

-- Counts lines that the access log leaves out (lines.lua).
function _M.leave_out_lines(count)
  zone:incr("lines_left_out", count, 0)
end

-- Measures these hosts one by one and all others together.
function _M.measure(list)
  local lines = {}
  for index = 1, math.min(#list, MOST_HOSTS) do
    lines[index] = list[index] .. "\n"
  end
  return store.state:safe_set("measured", table.concat(lines))
end

local function read(prefix, name, size)
  if not zone:get(prefix .. REQUESTS .. " " .. name) then
    return nil
  end
  local counts = {}
  for place = 1, size do
    counts[place] = zone:get(prefix .. place .. " " .. name) or 0
  end
  return counts
end

local function read_reasons(name)
  local counts = {}
  for _, reason in ipairs(_M.reasons) do
    counts[reason] = zone:get("r" .. reason .. " " .. name)
  end
  return counts
end

-- What all workers counted since nginx started. It gives way to requests now and then.
function _M.read()
  local of_hosts, of_countries = {}, {}
  local function host(name)
    local counts = read("h", name, HOST_SIZE)
    if counts then
      of_hosts[name] = { counts = counts, reasons = read_reasons(name) }
      ngx.sleep(0)
    end
  end
  for name in listed(store.state:get("measured")) do
    host(name)
  end
  host(OTHER)
  host(NONE)
  for _, code in ipairs(countries.codes) do
    of_countries[code] = read("c", code, COUNTRY_SIZE)
  end
  of_countries[UNKNOWN] = read("c", UNKNOWN, COUNTRY_SIZE)
  return {
    hosts = of_hosts,
    countries = of_countries,
    leftOut = zone:get("left_out") or 0,
    linesLeftOut = zone:get("lines_left_out") or 0,
    countryData = countries.state,
    countryDataBuilt = countries.built,
  }
end

return _M
