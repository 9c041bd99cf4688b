-- The last check before anything enters shared memory, whoever sent it. One bad element is left out and named, never the
-- whole change; only what does not have the shape of the protocol at all is refused as a whole (`error` with a table).
local ffi = require "ffi"
local cjson = require "cjson.safe"
local ssl = require "ngx.ssl"
local endpoints = require "tideline.endpoints"
local settings = require "tideline.settings"

ffi.cdef([[
int inet_pton(int family, const char *text, void *address);
void *OPENSSL_sk_value(const void *stack, int index);
int OPENSSL_sk_num(const void *stack);
int X509_check_private_key(const void *certificate, const void *key);
const void *TLS_server_method(void);
void *SSL_CTX_new(const void *method);
void *SSL_new(void *context);
void SSL_free(void *ssl);
int SSL_use_certificate(void *ssl, void *certificate);
int SSL_use_PrivateKey(void *ssl, void *key);
long SSL_ctrl(void *ssl, int command, long larg, void *parg);
unsigned long ERR_peek_last_error(void);
const char *ERR_reason_error_string(unsigned long error);
void ERR_clear_error(void);
]])

local _M = {}

local INET, INET6 = 2, 10
local bytes = ffi.new("uint8_t[16]")

local function malformed(message)
  error({ malformed = message }, 0)
end

local function expect(value, kind, what)
  if type(value) ~= kind then
    malformed(what .. " must be a " .. kind)
  end
  return value
end

local function optional(value, kind, what)
  if value == nil or value == cjson.null then
    return false
  end
  return expect(value, kind, what)
end

-- Returns a JSON array; an absent one is empty.
local function list(value, what)
  if value == nil then
    return {}
  end
  expect(value, "table", what)
  local count = 0
  for _ in pairs(value) do
    count = count + 1
  end
  if count ~= #value then
    malformed(what .. " must be an array")
  end
  return value
end
_M.list = list

local function valid_host(name)
  if name == "" then
    return true
  end
  local rest = name:gsub("^%*%.", "")
  if #name > 253 or rest == "" then
    return false
  end
  for label in (rest .. "."):gmatch("([^.]*)%.") do
    if #label > 63 or not (label:match("^[a-z0-9_][-a-z0-9_]*[a-z0-9_]$") or label:match("^[a-z0-9_]$")) then
      return false
    end
  end
  return true
end

local function valid_key(key)
  return #key <= 512 and key:match("^[A-Za-z0-9][-A-Za-z0-9._/]*$") ~= nil
end

local function valid_id(id)
  return #id <= 128 and id:match("^[-A-Za-z0-9:+/=_.]+$") ~= nil
end

local function valid_path(path)
  return #path <= 4096 and path:byte(1) == 47 and not path:find("%c")
end

-- Why nginx may not connect to an address, or nil: addresses that lead to this host, to its link, to many or to nowhere, and
-- those that may hold such an IPv4 address. The rule of src/planes/edge/compile/address.ts; both are held to
-- test/golden/data-plane/endpoints.txt, which says why for each address.
local function address_reason(text)
  if #text > 45 or not text:match("^[0-9a-f:.]+$") then
    return "EndpointAddressInvalid"
  end
  if ffi.C.inet_pton(INET, text, bytes) == 1 then
    local first, second = bytes[0], bytes[1]
    if first == 0 or first == 127 or first >= 224 or (first == 169 and second == 254) then
      return "EndpointAddressForbidden"
    end
    return nil
  end
  if ffi.C.inet_pton(INET6, text, bytes) ~= 1 then
    return "EndpointAddressInvalid"
  end
  local first, second = bytes[0] * 256 + bytes[1], bytes[2] * 256 + bytes[3]
  -- 0000::/8: unspecified, loopback, and every form that holds an IPv4 address but Teredo and 6to4.
  local reserved = first <= 0xff
  local teredo, six_to_four = first == 0x2001 and second == 0, first == 0x2002
  local link_local, multicast = first >= 0xfe80 and first <= 0xfebf, first >= 0xff00
  if reserved or teredo or six_to_four or link_local or multicast then
    return "EndpointAddressForbidden"
  end
  return nil
end

-- The settings of a host as they are stored: what cannot be taken refuses its routes, because it may limit access.
local function settings_of(entry, refuse)
  local kept = {}
  for index, one in ipairs(list(entry.settings, "settings")) do
    kept[index] = one
    if not settings.valid(one) then
      refuse("settings", entry.name, "SettingsInvalid")
      kept[index] = { refused = "SettingsInvalid" }
    end
  end
  return kept
end

-- The place of settings in their list, counted from 1 (it arrives counted from 0); nil where a route has none.
local function place_of(value, kept)
  if value == nil or value == cjson.null then
    return nil
  end
  if type(value) ~= "number" or not kept[value + 1] then
    malformed("settings must be an index of the settings of the host")
  end
  return value + 1
end

local MATCHES = { exact = true, prefix = true, text = true, anyCaseText = true, anyCasePrefix = true }

-- Each of the next functions returns the value to store, or nil and the reason; it calls `refuse(kind, name, reason)` for
-- elements left out.

function _M.hosts(entry, refuse)
  local name = expect(entry.name, "string", "host name")
  if not valid_host(name) then
    return nil, "HostInvalid"
  end
  local paths, kept = {}, settings_of(entry, refuse)
  for _, path in ipairs(list(entry.paths, "paths")) do
    expect(path, "table", "path")
    local match, text = expect(path.match, "string", "match"), expect(path.path, "string", "path")
    local backend = expect(path.backend, "string", "backend")
    if not MATCHES[match] then
      malformed("match must be exact, prefix, text, anyCaseText or anyCasePrefix")
    end
    if not valid_path(text) then
      refuse("path", name .. " " .. text, "PathInvalid")
    elseif not valid_key(backend) then
      refuse("path", name .. " " .. text, "BackendKeyInvalid")
    else
      paths[#paths + 1] = { match, text, backend, place_of(path.settings, kept) }
    end
  end
  local default = optional(entry.defaultBackend, "string", "defaultBackend")
  if default and not valid_key(default) then
    refuse("path", name, "BackendKeyInvalid")
    default = false
  end
  local certificate = optional(entry.certificate, "string", "certificate")
  if certificate and not valid_id(certificate) then
    refuse("certificate", certificate, "CertificateIdInvalid")
    certificate = false
  end
  -- cjson writes an empty table as an object; decode does not mind.
  return cjson.encode({ paths, default, certificate, place_of(entry.defaultSettings, kept) or false, kept })
end

function _M.backends(entry, refuse)
  local key = expect(entry.key, "string", "backend key")
  if not valid_key(key) then
    return nil, "BackendKeyInvalid"
  end
  local kept = {}
  for _, endpoint in ipairs(list(entry.endpoints, "endpoints")) do
    expect(endpoint, "table", "endpoint")
    local address, port = expect(endpoint.address, "string", "address"), expect(endpoint.port, "number", "port")
    local reason = address_reason(address)
    if port < 1 or port > 65535 or port % 1 ~= 0 then
      reason = "EndpointPortInvalid"
    end
    if reason then
      refuse("endpoint", key .. " " .. address, reason)
    else
      kept[#kept + 1] = endpoint
    end
  end
  return endpoints.encode(kept)
end

local SSL_CTRL_CHAIN_CERT = 89
local context

-- Why OpenSSL would refuse to present a pair, or nil: the calls of a handshake (ngx.ssl.set_cert), made beforehand. The
-- security level is that of Debian's OpenSSL, as in the handshake.
local function handshake_error(stack, key)
  context = context or ffi.C.SSL_CTX_new(ffi.C.TLS_server_method())
  ffi.C.ERR_clear_error()
  local connection = ffi.C.SSL_new(context)
  local ok = ffi.C.SSL_use_certificate(connection, ffi.C.OPENSSL_sk_value(stack, 0)) == 1
  for index = 1, ffi.C.OPENSSL_sk_num(stack) - 1 do
    ok = ok and ffi.C.SSL_ctrl(connection, SSL_CTRL_CHAIN_CERT, 1, ffi.C.OPENSSL_sk_value(stack, index)) == 1
  end
  ok = ok and ffi.C.SSL_use_PrivateKey(connection, key) == 1
  ffi.C.SSL_free(connection)
  if ok then
    return nil
  end
  local text = ffi.C.ERR_reason_error_string(ffi.C.ERR_peek_last_error())
  ffi.C.ERR_clear_error()
  return text ~= nil and ffi.string(text) or "unknown error"
end

function _M.certificates(entry)
  local id = expect(entry.id, "string", "certificate id")
  local chain, key = expect(entry.chain, "string", "chain"), expect(entry.key, "string", "key")
  if not valid_id(id) then
    return nil, "CertificateIdInvalid"
  end
  local parsed = ssl.parse_pem_cert(chain)
  if not parsed then
    return nil, "CertificateUnreadable"
  end
  local private = ssl.parse_pem_priv_key(key)
  if not private then
    return nil, "CertificateKeyUnreadable"
  end
  if ffi.C.X509_check_private_key(ffi.C.OPENSSL_sk_value(parsed, 0), private) ~= 1 then
    return nil, "CertificateKeyMismatch"
  end
  local why = handshake_error(parsed, private)
  if why then
    return nil, "CertificateRefused", why
  end
  return cjson.encode({ chain, key })
end

-- Returns the policies by name; raises an error for what does not have the shape of the protocol.
function _M.policies(value)
  local known = {}
  for _, policy in ipairs(list(value, "policies")) do
    expect(policy, "table", "policy")
    local name = expect(policy.policy, "string", "policy")
    local reason = expect(policy.reason, "string", "reason")
    if not name:match("^[a-z0-9][-a-z0-9]*$") or #name > 63 then
      malformed("policy must be a DNS label")
    end
    if not reason:match("^%u%w*$") or #reason > 63 then
      malformed("reason must be CamelCase")
    end
    known[name] = { healthy = expect(policy.healthy, "boolean", "healthy"), reason = reason }
  end
  return known
end

-- Returns the keys of the backends that the agent watches; an older agent names none.
function _M.watched(value)
  local keys = list(value or {}, "watched")
  for _, key in ipairs(keys) do
    if not valid_key(expect(key, "string", "watched")) then
      malformed("watched must be keys of backends")
    end
  end
  return keys
end

-- Returns the names of the hosts that are measured one by one; an older agent names none.
function _M.measured(value)
  local hosts = list(value or {}, "measured")
  for _, name in ipairs(hosts) do
    if not valid_host(expect(name, "string", "measured")) then
      malformed("measured must be names of hosts")
    end
  end
  return hosts
end

local access_logs = { sampled = true, all = true, none = true }

-- Returns which requests have a line in the access log; an older agent does not say.
function _M.access_log(value)
  if value == nil then
    return "sampled"
  end
  if not access_logs[value] then
    malformed("accessLog must be sampled, all or none")
  end
  return value
end

local names = { hosts = "name", backends = "key", certificates = "id" }

-- The changes of one request, as the store takes them, and what was left out.
function _M.changes(body)
  local changes, refused = {}, {}
  local function refuse(kind, name, reason, detail)
    local printable = name:sub(1, 256):gsub("[^%g ]", "?")
    refused[#refused + 1] = { kind = kind, name = printable, reason = reason, detail = detail }
  end
  for member in pairs(body) do
    if not names[member] and member ~= "instance" and member ~= "generation" then
      malformed("unknown member " .. tostring(member))
    end
  end
  for kind, field in pairs(names) do
    local change = body[kind]
    if change ~= nil then
      expect(change, "table", kind)
      for member in pairs(change) do
        if member ~= "upsert" and member ~= "delete" then
          malformed(kind .. " must have upsert and delete only")
        end
      end
      for _, name in ipairs(list(change.delete, "delete")) do
        changes[#changes + 1] = { kind = kind, name = expect(name, "string", "delete") }
      end
      for _, entry in ipairs(list(change.upsert, "upsert")) do
        expect(entry, "table", "upsert")
        local value, reason, detail = _M[kind](entry, refuse)
        changes[#changes + 1] = { kind = kind, name = entry[field], value = value, keep = value == nil }
        if not value then
          refuse(kind:sub(1, -2), entry[field], reason, detail)
        end
      end
    end
  end
  return changes, refused
end

return _M
