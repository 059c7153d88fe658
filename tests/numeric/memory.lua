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
  local r = tool.solve(MODEL, { method = method, atol = tolerance, rtol = tolerance, saveat = saveat, stats = true, sensitivity = sensitivity,
                                set = set, gradient = "u[1]" })
  local planned = memory.evaluate(formulas[policy], { B = tile, S = #saveat, T = 1, n = r.accepted, c = checkpoints or 1 })
  local off = r.memory / planned - 1
  worst = math.max(worst, math.abs(off))
  if math.abs(off) > 0.05 then
    error(("%s, %s, size %d, %s, %d steps: %d bytes, planned %d, %+.1f %%"):format(sensitivity, policy, size, method, r.accepted, r.memory,
                                                                                  planned, 100 * off))
  end
  return r
end

local POLICIES <const> = {
  discrete = {
    { "stages", {} }, { "stages, dense", {} }, { "state", { "sensitivity.store=state" } },
    { "checkpoints", { "sensitivity.checkpoints=5" }, 5 }, { "checkpoints", { "sensitivity.checkpoints=40" }, 40 },
  },
  interpolating = {
    { "stages", {} }, { "checkpoints", { "sensitivity.checkpoints=5" }, 5 }, { "checkpoints", { "sensitivity.checkpoints=40" }, 40 },
  },
}

for _, sensitivity in ipairs(vocabulary.sensitivities:names()) do
  for _, policy in ipairs(POLICIES[sensitivity] or {}) do
    local name, settings, checkpoints = table.unpack(policy)
    local title = ("%s, %s%s: memory as planned over "):format(sensitivity, name, checkpoints and " " .. checkpoints or "")
    check.case(title .. "sizes of the state", function()
      for _, size in ipairs { 1, 30, 300 } do measure(sensitivity, name, settings, size, "tsit5", 1e-7, checkpoints) end
    end)
    check.case(title .. "stages", function()
      for _, method in ipairs { "bs3", "dop853" } do measure(sensitivity, name, settings, 30, method, 1e-6, checkpoints) end
    end)
    check.case(title .. "steps", function()
      local least, most = math.huge, 0
      for _, tolerance in ipairs { 1e-4, 1e-8, 1e-12 } do
        local r = measure(sensitivity, name, settings, 30, "tsit5", tolerance, checkpoints)
        least, most = math.min(least, r.accepted), math.max(most, r.accepted)
      end
      check.equal(most > 20 * least, true)
    end)
    check.case(title .. "a local step", function()
      local with = table.move(settings, 1, #settings, 2, { "regularize=true" })
      measure(sensitivity, name, with, 30, "tsit5", 1e-7, checkpoints)
    end)
  end
end

print(("memory is within %.2f %% of the plan"):format(100 * worst))
check.done()
