-- The certificates that this nginx could not present, for the agent to say so where their owner looks. An id is a hash of
-- the contents, so what was refused once is refused again, until nginx is started anew.
local cjson = require "cjson.safe"
local store = require "tideline.store"

local _M = {}

-- The memory is bounded: the oldest ones give way. The agent remembers those that it needs.
local MOST = 64

-- The notes, oldest first: { id, why }.
local function notes()
  return cjson.decode(store.state:get("refused_notes") or "[]") or {}
end

function _M.list()
  local known = {}
  for _, note in ipairs(notes()) do
    known[note[1]] = note[2]
  end
  return known
end

-- Notes that a pair cannot be presented. Of two workers that note one at the same moment, one note may be lost; the next
-- handshake makes it again.
function _M.note(id, why)
  local known = notes()
  for _, note in ipairs(known) do
    if note[1] == id then
      return
    end
  end
  while #known >= MOST do
    table.remove(known, 1)
  end
  local printable = why:sub(1, 200):gsub("[^%g ]", "?")
  known[#known + 1] = { id, printable }
  store.state:safe_set("refused_notes", cjson.encode(known))
end

function _M.count_handshake()
  store.state:incr("refused_handshakes", 1, 0)
end

function _M.handshakes()
  return store.state:get("refused_handshakes") or 0
end

return _M
