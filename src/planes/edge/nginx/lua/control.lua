-- The control channel: HTTP with JSON bodies on the unix socket. README.md in src/planes/edge/nginx has the protocol.
local beat = require "tideline.beat"
local cjson = require "cjson.safe"
local refused = require "tideline.refused"
local answered = require "tideline.answered"
local measure = require "tideline.measure"
local store = require "tideline.store"
local tries = require "tideline.tries"
local validate = require "tideline.validate"

local _M = {}

cjson.decode_max_depth(16)

local function answer(status, body)
  ngx.status = status
  ngx.header["Content-Type"] = "application/json"
  ngx.say(cjson.encode(body))
  return ngx.exit(status)
end

local function refuse(status, reason, message)
  return answer(status, { reason = reason, message = message })
end

-- Answers with the failure of a call of the store, and with the instance and generation of the table in force.
local function refuse_failure(failure)
  local status = failure.status
  failure.status = nil
  failure.instance = store.state:get("instance")
  failure.generation = store.generation()
  return answer(status, failure)
end

local function read_body()
  ngx.req.read_body()
  local text = ngx.req.get_body_data()
  if not text then
    local file = ngx.req.get_body_file()
    local handle = file and io.open(file, "rb")
    if handle then
      text = handle:read("*a")
      handle:close()
    end
  end
  local body = cjson.decode(text or "")
  if type(body) ~= "table" then
    error({ malformed = "the body must be a JSON object" }, 0)
  end
  return body
end

local function number(value, what)
  if type(value) ~= "number" or value % 1 ~= 0 or value < 0 then
    error({ malformed = what .. " must be a whole number" }, 0)
  end
  return value
end

local function base(body)
  if type(body.instance) ~= "string" then
    error({ malformed = "instance must be a string" }, 0)
  end
  return body.instance, number(body.generation, "generation")
end

local function list_or_nil(left_out)
  return left_out[1] and left_out or nil
end

-- The changes of a body and what is left out of them; certificates among the latter are also noted for the status.
local function checked(body)
  local changes, left_out = validate.changes(body)
  for _, entry in ipairs(left_out) do
    if entry.kind == "certificate" then
      refused.note(entry.name, entry.detail or entry.reason)
    end
  end
  return changes, left_out
end

local function status()
  local state = store.state
  local free = {}
  for kind, zone in pairs(store.zones) do
    free["tideline_" .. kind] = zone:free_space()
  end
  free.tideline_state = state:free_space()
  return answer(200, {
    instance = state:get("instance"),
    generation = store.generation(),
    hosts = state:get("count_hosts"),
    backends = state:get("count_backends"),
    certificates = state:get("count_certificates"),
    freeBytes = free,
    draining = state:get("draining"),
    -- Without the one that asks; the agent has no other to this socket.
    activeConnections = tonumber(ngx.var.connections_active) - 1,
    reloads = state:get("reloads"),
    refusedPairs = refused.list(),
    refusedHandshakes = refused.handshakes(),
    answered = answered.counts(),
    workers = beat.workers(),
    tries = tries.totals(),
    backendTries = tries.of_backends(),
  })
end

local function delta()
  local body = read_body()
  local instance, generation = base(body)
  local changes, left_out = checked(body)
  local committed, failure = store.delta(instance, generation, changes)
  if not committed then
    return refuse_failure(failure)
  end
  return answer(200, { generation = committed, refused = list_or_nil(left_out) })
end

local function begin()
  local body = read_body()
  local instance, generation = base(body)
  local transaction, failure = store.begin(instance, generation, body.replace == true)
  if not transaction then
    return refuse_failure(failure)
  end
  return answer(201, { transaction = transaction })
end

local function stage(transaction)
  local changes, left_out = checked(read_body())
  local ok, failure = store.stage(transaction, changes)
  if not ok then
    return refuse_failure(failure)
  end
  return answer(200, { staged = #changes, refused = list_or_nil(left_out) })
end

local function commit(transaction)
  local committed, failure = store.commit(transaction)
  if not committed then
    return refuse_failure(failure)
  end
  return answer(200, { generation = committed })
end

local function abort(transaction)
  local ok, failure = store.abort(transaction)
  if not ok then
    return refuse_failure(failure)
  end
  return answer(200, { generation = store.generation() })
end

local function health()
  local body = read_body()
  local policies, watched = validate.policies(body.policies), validate.watched(body.watched)
  local ok, err = store.state:safe_set("health", cjson.encode(policies))
  if ok then
    ok, err = tries.watch(watched)
  end
  if ok then
    ok, err = measure.measure(validate.measured(body.measured))
  end
  if ok then
    ok, err = store.state:safe_set("access_log", validate.access_log(body.accessLog))
  end
  if not ok then
    return answer(507, { reason = "SharedMemoryFull", zone = "tideline_state", message = err })
  end
  return answer(200, { generation = store.generation() })
end

local function draining()
  local value = read_body().draining
  if type(value) ~= "boolean" then
    error({ malformed = "draining must be true or false" }, 0)
  end
  store.state:set("draining", value)
  return answer(200, { draining = value })
end

local function requests()
  return answer(200, measure.read())
end

local routes = {
  ["GET /v1/status"] = status,
  ["GET /v1/requests"] = requests,
  ["POST /v1/delta"] = delta,
  ["POST /v1/transactions"] = begin,
  ["PUT /v1/health"] = health,
  ["PUT /v1/draining"] = draining,
}
local transaction_routes = { ["POST "] = stage, ["POST /commit"] = commit, ["DELETE "] = abort }

local function handler()
  local method, path = ngx.req.get_method(), ngx.var.uri
  local route = routes[method .. " " .. path]
  if route then
    return route
  end
  local id, rest = path:match("^/v1/transactions/(%d+)(.*)$")
  local on = id and #id <= 15 and transaction_routes[method .. " " .. rest]
  if on then
    return function()
      return on(tonumber(id))
    end
  end
end

function _M.serve()
  local route = handler()
  if not route then
    return refuse(404, "NoSuchCall", "no such call")
  end
  local ok, err = pcall(route)
  if ok then
    return
  end
  if type(err) == "table" and err.malformed then
    return refuse(400, "RequestMalformed", err.malformed)
  end
  ngx.log(ngx.ERR, "control: ", err)
  return refuse(500, "InternalError", "see the error log")
end

return _M
