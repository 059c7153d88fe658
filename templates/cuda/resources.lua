--- What a block of every entry point of a text has of a multiprocessor, before anything is compiled: threads, shared memory, the
-- most registers its launch bound leaves a thread, and with these how many blocks are resident together, at least.
--
-- tests/test_nvrtc.c holds what the compiler says to this.

local header = require "header"
local resources = {}

-- Of sm_90 (sm_80 has less shared memory, and no fewer of the others): registers, those a thread can address, threads, blocks,
-- shared memory in bytes, and what of it every block takes for itself.
local REGISTERS <const>, ADDRESSED <const>, THREADS <const>, BLOCKS <const> = 65536, 255, 2048, 32
local SHARED <const>, RESERVED <const> = 227 * 1024, 1024

--- Bytes of the arrays in shared memory that a function has, by its name; products and outer products have one together.
-- threads: of a block of the shared phase; panel: bytes of a product's.
local function arrays(backend, threads, panel)
  local members, real = backend.tile * backend.team, backend.bytes
  local function of_team(bytes) return backend.team > 1 and members * bytes or 0 end
  local product = backend.team > 1 and { lrnde_product = "panel", lrnde_outer = "panel" } or {}
  return product, { panel = panel, lrnde_team_sum = of_team(8), lrnde_team_max = of_team(real),
                    lrnde_team_argmax = of_team(2 * real), lrnde_block_sum = threads // backend.tile * 8 }
end

--- The functions of a text, { [name] = body }, and its entry points in order, { name, bound = of launch, body }.
local function functions(text)
  local named, entries, name, body, bound = {}, {}, nil, nil, nil
  for line in text:gmatch "[^\n]*" do
    if not name and line:find "__device__" and line:find "%(" and not line:find ";$" then
      name, body = line:gsub("__%w+__", ""):match "([%w_]+)%(", {}
    elseif not name and line:find "__global__" then
      bound, name = line:match "__launch_bounds__%((.-), 1%) ([%w_]+)%("
      body = {}
    elseif name and line == "}" then
      named[name] = table.concat(body, "\n")
      if bound then entries[#entries + 1] = { name = name, bound = bound } end
      name, bound = nil, nil
    elseif name then
      body[#body + 1] = line
    end
  end
  return named, entries
end

--- Visits what a function calls, and what that calls, once.
local function reach(named, name, seen)
  seen[name] = true
  for word in named[name]:gmatch "[%w_]+" do
    if named[word] and not seen[word] then reach(named, word, seen) end
  end
  return seen
end

--- Of lrnde_path (path.cuh): 14 words, and 4 for each piece.
resources.path = 8 * (14 + 4 * header.constant "LRNDE_MAX_PIECES")

--- Bytes of what an entry point has in shared memory itself.
local function own_bytes(body, real)
  local bytes = 0
  for n in body:gmatch "__shared__ real [%w_]+%[(%d+)%]" do bytes = bytes + tonumber(n) * real end
  return body:find "__shared__ lrnde_path" and bytes + resources.path or bytes
end

--- { { name, threads, shared, asked, registers, blocks }.. }: shared memory in bytes, that of its arrays and that its launch asks
-- for; panel: those of a product.
function resources.entries(text, backend, panel)
  local named, entries = functions(text)
  local threads = tonumber(text:match "MOST_THREADS = (%d+)")
  local alias, bytes = arrays(backend, threads, panel)
  for _, e in ipairs(entries) do
    local found = {}
    for name in pairs(reach(named, e.name, {})) do found[alias[name] or name] = true end
    e.shared = own_bytes(named[e.name], backend.bytes)
    e.asked = found.lrnde_resident and backend.cluster.bytes or 0
    for name, size in pairs(bytes) do if found[name] then e.shared = e.shared + size end end
    e.threads = e.bound == "MOST_THREADS" and threads or backend.tile * backend.team
    e.registers = math.min(ADDRESSED, REGISTERS // e.threads)
    local allocated = (e.registers + 7) // 8 * 8 * e.threads
    e.blocks = math.min(REGISTERS // allocated, THREADS // e.threads, BLOCKS, SHARED // (e.shared + e.asked + RESERVED))
  end
  return entries
end

return resources
