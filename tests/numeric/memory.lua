--- What a gradient holds on the device is what lrnde-gen --explain says: within 5 % over sizes of the state, stages, lengths,
--- checkpoints and policies, for every row of table 1 of the paper that there is an algorithm for.

local check = require "check"
local lrnde = require "lrnde"
local backends = require "backends"
local memory = require "memory"
local tool = require "witness.tool"
local vocabulary = require "language.vocabulary"

tool.compiler = "tests/quick_cc.sh"

local MODEL <const> = "tests/numeric/models/chain.lua"

-- The plan of each policy, { [policy] = formula }, and the samples of a tile.
local function plan(model, sensitivity, method, settings)
  local options = { method = method, set = { { "sensitivity", sensitivity } } }
  for i, setting in ipairs(settings) do options.set[i + 1] = { setting:match "^(.-)=(.*)$" } end
  local p = lrnde.build(model, options)
  lrnde.generate(p, backends.get "c", options)
  local formulas = {}
  for _, row in ipairs(memory.plan(lrnde, p)) do formulas[row.policy] = row.formula end
  return formulas, p.m.tile
end

-- row: what is kept, { sensitivity, policy (of the plan), checkpoints }; settings: what makes the runtime keep that; at: what is
-- solved, { size, method, tolerance, h (of fixed steps, or nil) }.  Returns what was measured, and how far the plan is off.
local function measure(row, settings, at)
  local set = table.move(settings, 1, #settings, 2, { ("size=%d"):format(at.size) })
  local formulas, tile = plan(MODEL, row.sensitivity, at.method, set)
  local saveat = row.policy == "stages, dense" and { 3, 10 } or { 10 }
  local r = tool.solve(MODEL, { method = at.method, atol = at.tolerance, rtol = at.tolerance, h = at.h, saveat = saveat,
                                set = set, stats = true, gradient = "u[1]" })
  local planned = memory.evaluate(formulas[row.policy], { B = tile, S = #saveat, T = 1, n = r.accepted, m = r.sweep_steps,
                                                          c = row.checkpoints, fixed = at.h ~= nil })
  local off = r.memory / planned - 1
  if math.abs(off) > 0.05 then
    error(("%s, %s, size %d, %s, %d steps: %d bytes, planned %d, %+.1f %%"):format(
      row.sensitivity, row.policy, at.size, at.method, r.accepted, r.memory, planned, 100 * off))
  end
  return r, off
end

-- What a sensitivity is asked to keep, by policy of the plan; %d: so many checkpoints.
local ASKED <const> = {
  ["stages"] = "", ["nothing"] = "", ["stages, dense"] = "", ["state"] = 'store="state"', ["checkpoints"] = "checkpoints=%d",
}

local FEW <const>, MANY <const> = 5, 40

-- One row of the table.
local function check_policy(sensitivity, policy, checkpoints)
  local asked = ("sensitivity=L.%s{%s}"):format(sensitivity, ASKED[policy]:format(checkpoints))
  local number = policy == "checkpoints" and " " .. checkpoints or ""
  local title = ("%s, %s%s: memory as planned over "):format(sensitivity, policy, number)
  local row = { sensitivity = sensitivity, policy = policy, checkpoints = checkpoints }
  local most, fewest, longest = 0, math.huge, 0
  local function measured(size, method, tolerance, further, h)
    local r, off = measure(row, { asked, further }, { size = size, method = method, tolerance = tolerance, h = h })
    most, fewest, longest = math.max(most, math.abs(off)), math.min(fewest, r.accepted), math.max(longest, r.accepted)
    return r
  end
  check.case(title .. "steps", function()
    local short, long = measured(30, "tsit5", 1e-4).accepted, measured(30, "tsit5", 1e-12).accepted
    check.equal(long > 20 * short, true)
    check.equal(measured(30, "tsit5", 1e-4, nil, 0.013).accepted, 770)
  end)
  local function report()
    local kept = asked:match "=(.*)" .. (policy == "stages, dense" and ", dense" or "")
    print(("  %-32s %4d to %4d steps: within %.2f %%"):format(kept, fewest, longest, 100 * most))
  end
  if checkpoints > FEW then return report() end
  check.case(title .. "sizes of the state", function()
    for _, size in ipairs { 1, 300 } do measured(size, "tsit5", 1e-7) end
  end)
  check.case(title .. "stages", function() measured(30, "dop853", 1e-6) end)
  check.case(title .. "a local step", function() measured(30, "tsit5", 1e-7, "regularize=true") end)
  if policy == "stages" then
    check.case(title .. "what a method remembers", function()
      for _, gradient in ipairs { "partial", "total" } do
        measured(30, "vcab3", 1e-5, ("regularize={gradient=%q}"):format(gradient))
      end
    end)
  end
  report()
end

for _, sensitivity in ipairs(vocabulary.sensitivities:names()) do
  for policy in pairs(plan(MODEL, sensitivity, "tsit5", {})) do
    check_policy(sensitivity, policy, FEW)
    if policy == "checkpoints" then check_policy(sensitivity, policy, MANY) end
  end
end

-- What a local step is made of is kept for it, and no more: the gradient through u at its start needs dense output.
check.case("a training step with a local step", function()
  local DIGITS <const>, BATCH <const> = "tests/fixtures/digits.lua", 32  -- whole tiles
  local folder = check.folder()
  dofile "tests/fixtures/digits_data.lua"(folder .. "/data")
  for gradient, policy in pairs { partial = "stages", total = "stages, dense" } do
    local settings = { ("regularize.gradient=%q"):format(gradient), "solver.atol=1e-7", "solver.rtol=1e-7" }
    local formulas = plan(DIGITS, "discrete", "bs3", settings)
    local r = tool.train(DIGITS, { data = folder .. "/data", out = folder .. "/run", steps = 1, batch = BATCH, set = settings })[1]
    local planned = memory.evaluate(formulas[policy], { B = BATCH, S = 1, T = 1, n = r.accepted, c = 1 })
    check.near(r.memory / planned, 1, 0.05)
  end
  check.run("rm -r " .. folder)
end)

check.done()
