--- lrnde-solve and lrnde-train where their options meet one another and the model's own.

local check = require "check"
local tool = require "witness.tool"

tool.compiler = "tests/quick_cc.sh"

local MODEL <const> = "models/lotka_volterra.lua"

check.case("another span than the model's has not the model's save times", function()
  local set = { "saveat={2.5,10}" }
  check.equal(tool.solve(MODEL, { set = set }).t, { 2.5, 10 })
  check.equal(tool.solve(MODEL, { set = set, tspan = { 0, 10 } }).t, { 2.5, 10 })
  check.equal(tool.solve(MODEL, { set = set, tspan = { 0, 1 } }).t, { 1 })
  check.equal(tool.solve(MODEL, { set = set, tspan = { 0, 1 }, saveat = { 0.5 } }).t, { 0, 0.5, 1 })
end)

check.case("an initial state computed from nothing", function()
  local path = check.folder() .. "/computed.lua"
  local file <close> = assert(io.open(path, "w"))
  file:write [[
    local L = require "lrnde"
    return L.ode { name = "computed", precision = "f64", state = 2, u0 = function() return { 1, 2 } end,
      dynamics = function(u) return -u end, solver = { atol = 1e-9, rtol = 1e-9, tspan = { 0, 1 } } }]]
  file:close()
  local r = tool.solve(path, { gradient = "u[1]+u[2]" })
  for i = 1, 2 do check.near(r.u[#r.u][i], i * math.exp(-1), 1e-8) end
  for i = 1, 2 do check.near(r.grad_u0[i], math.exp(-1), 1e-8) end
end)

check.case("--eval says that parameters are untrained, if they are", function()
  local folder = check.folder()
  local function said(options)
    return check.run(("%s --data models --out %s --threads 1 %s models/spiral.lua"):format(check.tool "lrnde-train", folder, options))
  end
  said "--steps 1"
  check.contains(said "--eval", "note: --eval tests parameters as drawn")
  for _, given in ipairs { "--resume", "--weights " .. folder .. "/last.safetensors" } do
    local text = said("--eval " .. given)
    check.contains(text, "tested on 8 samples")
    check.equal(text:find "as drawn", nil)
  end
  check.run("rm -r " .. folder)
end)

check.case("a run that is begun where another was loses nothing of that, and of no other", function()
  local folder = check.folder()
  local function train(options)
    local command = "%s --data models --out %s --threads 1 %s models/spiral.lua"
    return check.run(command:format(check.tool "lrnde-train", folder, options))
  end
  local function sums(of) return check.run(("cd %s%s && md5sum *.safetensors log.jsonl config.json"):format(folder, of)) end
  for seed = 1, 3 do
    local before = seed > 1 and sums ""
    check.equal(train("--steps 1 --seed " .. seed):find("note: the run that was in", 1, true) ~= nil, seed > 1)
    if before then check.equal(sums "/previous", before) end
  end
  local kept = sums "/previous"
  check.equal(train "--steps 2 --seed 3 --resume":find("note: the run", 1, true), nil)
  check.equal(sums "/previous", kept)
  check.run("rm -r " .. folder)
end)

-- What the threads library says it read, the last time it began.
check.case("threads that wait spin briefly, or as the environment has it", function()
  for _, program in ipairs { "lrnde-solve", "lrnde-train" } do
    for setting, expected in pairs { [""] = "1000", ["GOMP_SPINCOUNT=77"] = "77", ["OMP_WAIT_POLICY=passive"] = "0" } do
      local command = ("env -u GOMP_SPINCOUNT -u OMP_WAIT_POLICY OMP_DISPLAY_ENV=verbose %s %s --version"):format(setting,
        check.tool(program))
      check.equal(check.run(command):match ".*GOMP_SPINCOUNT = '(%d+)'", expected)
    end
  end
end)

-- A solve that keeps no steps draws the curves alone, one that does marks their ends besides.
check.case("a plot of a solve that keeps its steps, and of one that does not", function()
  local folder = check.folder()
  for _, case in ipairs { { "interpolating", true }, { "backsolve", false } } do
    local sensitivity, marked = table.unpack(case)
    local path = ("%s/%s.svg"):format(folder, sensitivity)
    local r = tool.solve(MODEL, { sensitivity = sensitivity, gradient = "u[1]", stats = true, plot = path })
    check.equal(r.mesh ~= nil, marked)
    local file <close> = assert(io.open(path))
    local text = file:read "a"
    check.contains(text, "u[1]")
    check.equal(text:find("ends of steps", 1, true) ~= nil, marked)
  end
  check.run("rm -r " .. folder)
end)

check.case("what only the CPU is going to run has no text for others", function()
  local folder = check.folder()
  for device, texts in pairs { auto = true, cpu = false } do
    local _, status = check.run(("CC=tests/quick_cc.sh LRNDE_CACHE=%s/%s %s --device %s %s"):format(folder, device,
      check.tool "lrnde-solve", device, MODEL))
    check.equal(status, 0)
    check.equal(check.run(("cat %s/%s/*.so | grep -c __global__"):format(folder, device)) ~= "0\n", texts)
  end
  check.run("rm -r " .. folder)
end)

check.done()
