--- The GPU cases of lrnde-bench: on the CPU, in the place of a GPU, they run and do not count; where there is no such device they
-- say so; a peer that is not installed is named.

local check = require "check"
local host = require "host"

local BENCH <const> = check.tool "lrnde-bench"
local CASES <const> = { "gpu_loop", "gpu_lorenz", "gpu_train", "gpu_solve_torchdiffeq", "gpu_solve_diffrax" }

local function bench(device, options)
  return ("PATH=%s/tests/fixtures/peer:$PATH LRNDE_DEVICE=%s %s %s"):format(host.root, device, BENCH, options)
end

--- What the cases have on the CPU, as text, by name.
local results = {}
for _, name in ipairs(CASES) do results[name] = table.pack(check.run(bench("cpu", "--json " .. name))) end

local function number(text, key) return tonumber(text:match(('"%s":([^,}]*)'):format(key))) end

check.case("every GPU case is here", function()
  local names = {}
  for name in check.run(BENCH .. " --list"):gmatch "(gpu_[%w_]+) " do names[#names + 1] = name end
  table.sort(names)
  local known = table.move(CASES, 1, #CASES, 1, {})
  table.sort(known)
  check.equal(names, known)
end)

check.case("on the CPU they are timed, and do not count", function()
  for _, name in ipairs(CASES) do
    local text, status = table.unpack(results[name])
    check.equal({ name, status }, { name, 0 })
    check.contains(text, '"uncounted":"on the CPU, in the place of a GPU')
    check.equal(text:find '"met"', nil)
    check.equal({ name, number(text, "ours_s") > 0 }, { name, true })
  end
end)

check.case("a peer: its own time, evaluations, and how far apart the solutions are", function()
  local there = results.gpu_solve_diffrax[1]
  check.contains(there, '"reference":"diffrax of the tests"')
  check.equal(number(there, "nfe_peer"), 42)
  check.equal(number(there, "reference_s") > 0 and number(there, "apart") > 0.01, true)
  local missing = results.gpu_solve_torchdiffeq[1]
  check.contains(missing, '"reference":"torchdiffeq","reference_s":null')
  check.contains(missing, "No module named 'torchdiffeq'")
end)

check.case("no such device: nothing is measured, nothing fails", function()
  local text, status = check.run(bench("cuda:4711", table.concat(CASES, " ")))
  check.equal(status, 0)
  local _, n = text:gsub("no GPU here %(device cuda[^\n]*%): not counted\n", "")
  check.equal(n, #CASES)
end)

check.done()
