-- The certificates that this nginx could not present, for the agent to say so where their owner looks. An id is a hash of
-- the contents, so what was refused once is refused again, until nginx is started anew.
local cjson = require "cjson.safe"
local store = require "tideline.store"

local _M = {}

-- The memory is bounded: when so many are known, the list begins anew.
local MOST = 64

function _M.list()
  return cjson.decode(store.state:get("refused_pairs") or "{}") or {}
end

-- Notes that a pair cannot be presented. Of two workers that note one at the same moment, one note may be lost; the next
-- handshake makes it again.
function _M.note(id, why)
  local known, count = _M.list(), 0
  if known[id] then
    return
  end
  for _ in pairs(known) do
    count = count + 1
  end
  if count >= MOST then
    known = {}
  end
  known[id] = why:sub(1, 200):gsub("[^%g ]", "?")
  store.state:safe_set("refused_pairs", cjson.encode(known))
end

function _M.count_handshake()
  store.state:incr("refused_handshakes", 1, 0)
end

function _M.handshakes()
  return store.state:get("refused_handshakes") or 0
end

return _M
