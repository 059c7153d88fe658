--- The tape: what a step leaves for its reverse besides the record's arrays.
--
-- It holds the stage arguments z_i and every vector the reverse reads whose recomputation would cost a matrix product or a
-- transcendental; the rest is recomputed from them.  Entries name values by number: a kernel that writes or reads a tape
-- builds the step first, by the same calls as the one the tape was planned for.

local value = require "language.value"

local tape = {}
local Tape = {}
Tape.__index = Tape

local costly = { matvec = true, matvec_t = true, exp = true, log = true, log1p = true, sin = true, cos = true, tanh = true,
                 sigmoid = true, pow = true, lu = true, lu_solve = true, lu_solve_t = true }

--- The tape for a reverse kernel's graph g whose values from number `forward` on are the reverse; stops: { [id] = field } is
-- what the record has.  size: elements of a sample.
function tape.plan(g, forward, step, stops)
  local self = setmetatable({ entries = {}, size = 0 }, Tape)
  local on_tape = {}
  local function store(id, n)
    if on_tape[id] or stops[id] then return end
    table.insert(self.entries, { id = id, at = self.size })
    on_tape[id], self.size = true, self.size + n
  end
  for i = 2, #step.z do
    for _, z in ipairs(step.z[i]) do if value.kind(z) == "sample" then store(z.id, value.size(z)) end end
  end
  local expensive = {}                                   -- recomputing this from carry and tape costs a costly op
  local needed = {}
  for id = forward, g:size() - 1 do
    for _, arg in ipairs(g:value(id).args) do if arg < forward then needed[arg] = true end end
  end
  for id = 0, forward - 1 do
    local info = g:value(id)
    local cost = costly[info.op] or false
    for _, arg in ipairs(info.args) do cost = cost or expensive[arg] end
    if on_tape[id] or stops[id] then cost = false end
    if cost and needed[id] and info.kind == "sample" and #info.dims == 1 then
      store(id, info.dims[1])
      cost = false
    end
    expensive[id] = cost
  end
  return self
end

--- Kernel k, which built the step, writes the tape.
function Tape:write(k)
  for _, entry in ipairs(self.entries) do k:output(("tape[%d]"):format(entry.at), value.wrap(k.graph, entry.id)) end
end

--- Cuts kernel k where the tape, or a field of `known` ({ [id] = field }), holds a value.  Returns k.
function Tape:read(k, known)
  for _, entry in ipairs(self.entries) do known[entry.id] = ("tape_in[%d]"):format(entry.at) end
  k.graph = k.graph:extract(known)
  return k
end

return tape
