-- The certificate of a TLS handshake, by SNI: the host's own, else that of the host for any name, else nginx's static one. A
-- pair that OpenSSL refuses is passed over for the next of these, because a client that gets no certificate at all sees
-- nothing but a closed connection.
local lrucache = require "resty.lrucache"
local cjson = require "cjson.safe"
local ssl = require "ngx.ssl"
local cache = require "tideline.cache"
local refused = require "tideline.refused"
local request = require "tideline.request"

local _M = {}

-- Parsed pairs by id. An id is a hash of the contents, so an entry is never out of date.
local parsed = lrucache.new(1024)
-- The static pair of nginx.conf, as text: what nginx set itself is gone once another pair was tried.
local static

-- Called in the master. Without the files a refused pair ends the handshake.
function _M.read_static(folder)
  local chain, key = io.open(folder .. "/default.crt"), io.open(folder .. "/default.key")
  if chain and key then
    static = { chain:read("*a"), key:read("*a") }
  end
  if chain then
    chain:close()
  end
  if key then
    key:close()
  end
end

-- The id of a certificate and its value, which is needed only when it is not parsed yet.
local function candidate(host)
  local id = host and host.certificate
  if id then
    return { id = id, value = not parsed:get(id) and cache.raw("certificates", id) or nil }
  end
end

-- Returns the certificates for a name, best first: its own, and that of the host for any name.
local function choose(name)
  local host, any = request.host(name), cache.get("hosts", "")
  return candidate(host), host ~= any and candidate(any) or nil
end

local function parse(pair)
  local chain, chain_error = ssl.parse_pem_cert(pair[1])
  local key, key_error = ssl.parse_pem_priv_key(pair[2])
  if not chain or not key then
    return nil, chain_error or key_error
  end
  return { chain = chain, key = key }
end

-- Makes a pair the one of this handshake; returns why OpenSSL refuses it, or nil.
local function use(pair)
  ssl.clear_certs()
  local ok, err = ssl.set_cert(pair.chain)
  if ok then
    ok, err = ssl.set_priv_key(pair.key)
  end
  return not ok and err or nil
end

-- Tries one certificate. Returns true when the handshake has it, false when OpenSSL refused it, nil when there is none.
local function try(one)
  if not one then
    return nil
  end
  local pair, err = parsed:get(one.id), nil
  if not pair then
    if not one.value then
      return nil
    end
    pair, err = parse(cjson.decode(one.value))
    if pair then
      parsed:set(one.id, pair)
    end
  end
  err = pair and use(pair) or err
  if not err then
    return true
  end
  ngx.log(ngx.ERR, "CertificateRefused: certificate ", one.id, ": ", err)
  refused.note(one.id, err)
  return false
end

function _M.present()
  -- Some clients send the final dot of an absolute name, which does not belong there (RFC 6066, section 3).
  local name = (ssl.server_name() or ""):lower():gsub("%.$", "")
  local _, own, any = cache.snapshot(choose, name)
  local tried = try(own)
  if tried then
    return
  end
  local other = try(any)
  if tried == false or other == false then
    refused.count_handshake()
  end
  if other or (tried == nil and other == nil) then
    return
  end
  -- A refused pair has taken the place of the static one.
  local pair = static and parse(static)
  if not pair or use(pair) then
    return ngx.exit(ngx.ERROR)
  end
end

return _M
