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
local function plan(sensitivity, method, settings)
  local options = { method = method, set = { { "sensitivity", sensitivity } } }
  for i, setting in ipairs(settings) do options.set[i + 1] = { setting:match "^(.-)=(.*)$" } end
  local p = lrnde.build(MODEL, options)
  lrnde.generate(p, backends.get "c", options)
  local formulas = {}
  for _, row in ipairs(memory.plan(lrnde, p)) do formulas[row.policy] = row.formula end
  return formulas, p.m.tile
end

local worst = 0

-- policy: of the plan; settings: what makes the runtime keep that.  Returns what was measured.
local function measure(sensitivity, policy, settings, size, method, tolerance, checkpoints)
  local set = table.move(settings, 1, #settings, 2, { ("size=%d"):format(size) })
  local formulas, tile = plan(sensitivity, method, set)
  local saveat = policy == "stages, dense" and { 3, 10 } or { 10 }
  local r = tool.solve(MODEL, { method = method, atol = tolerance, rtol = tolerance, saveat = saveat, stats = true, set = set, gradient = "u[1]" })
  local planned = memory.evaluate(formulas[policy], { B = tile, S = #saveat, T = 1, n = r.accepted, m = r.sweep_steps, c = checkpoints or 1 })
  local off = r.memory / planned - 1
  worst = math.max(worst, math.abs(off))
  if math.abs(off) > 0.05 then
    error(("%s, %s, size %d, %s, %d steps: %d bytes, planned %d, %+.1f %%"):format(sensitivity, policy, size, method, r.accepted, r.memory,
                                                                                  planned, 100 * off))
  end
  return r
end

-- What a sensitivity is asked to keep, by policy of the plan; %d: so many checkpoints.
local ASKED <const> = {
  ["stages"] = "", ["nothing"] = "", ["stages, dense"] = "", ["state"] = 'store="state"', ["checkpoints"] = "checkpoints=%d",
}

local FEW <const>, MANY <const> = 5, 40

local function check_policy(sensitivity, policy, checkpoints)
  local asked = ("sensitivity=L.%s{%s}"):format(sensitivity, ASKED[policy]:format(checkpoints))
  local title = ("%s, %s%s: memory as planned over "):format(sensitivity, policy, policy == "checkpoints" and " " .. checkpoints or "")
  local function measured(size, method, tolerance, ...)
    return measure(sensitivity, policy, { asked, ... }, size, method, tolerance, checkpoints)
  end
  check.case(title .. "steps", function()
    local short, long = measured(30, "tsit5", 1e-4).accepted, measured(30, "tsit5", 1e-12).accepted
    check.equal(long > 20 * short, true)
  end)
  if checkpoints > FEW then return end
  check.case(title .. "sizes of the state", function()
    for _, size in ipairs { 1, 300 } do measured(size, "tsit5", 1e-7) end
  end)
  check.case(title .. "stages", function() measured(30, "dop853", 1e-6) end)
  check.case(title .. "a local step", function() measured(30, "tsit5", 1e-7, "regularize=true") end)
  if policy == "stages" then
    check.case(title .. "what a method remembers", function() measured(30, "vcab3", 1e-5, "regularize=true") end)
  end
end

for _, sensitivity in ipairs(vocabulary.sensitivities:names()) do
  for policy in pairs(plan(sensitivity, "tsit5", {})) do
    check_policy(sensitivity, policy, FEW)
    if policy == "checkpoints" then check_policy(sensitivity, policy, MANY) end
  end
end

print(("memory is within %.2f %% of the plan"):format(100 * worst))
check.done()
