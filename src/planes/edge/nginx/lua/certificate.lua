-- The certificate of a TLS handshake, by SNI: the host's own, else that of the host for any name, else nginx's static one.
local lrucache = require "resty.lrucache"
local cjson = require "cjson.safe"
local ssl = require "ngx.ssl"
local cache = require "tideline.cache"
local request = require "tideline.request"

local _M = {}

-- Parsed pairs by id. An id is a hash of the contents, so an entry is never out of date.
local parsed = lrucache.new(1024)

-- Returns the id of the certificate for a name, and its value unless it is parsed already.
local function choose(name)
  local host = request.host(name)
  if host and not host.certificate then
    host = cache.get("hosts", "")
  end
  local id = host and host.certificate
  if not id then
    return nil
  end
  return id, not parsed:get(id) and cache.raw("certificates", id) or nil
end

local function parse(value)
  local pair = cjson.decode(value)
  local chain, chain_error = ssl.parse_pem_cert(pair[1])
  local key, key_error = ssl.parse_pem_priv_key(pair[2])
  if not chain or not key then
    return nil, chain_error or key_error
  end
  return { chain = chain, key = key }
end

function _M.present()
  local name = ssl.server_name() or ""
  local _, id, value = cache.snapshot(choose, name:lower())
  if not id then
    return
  end
  local pair = parsed:get(id)
  if not pair then
    if not value then
      return
    end
    local err
    pair, err = parse(value)
    if not pair then
      ngx.log(ngx.ERR, "certificate ", id, ": ", err)
      return
    end
    parsed:set(id, pair)
  end
  ssl.clear_certs()
  local ok, err = ssl.set_cert(pair.chain)
  if ok then
    ok, err = ssl.set_priv_key(pair.key)
  end
  if not ok then
    ngx.log(ngx.ERR, "certificate ", id, ": ", err)
    return ngx.exit(ngx.ERROR)
  end
end

return _M
