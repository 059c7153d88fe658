--- The same model in single and in double precision: over one mesh, solutions and gradients agree to single precision.

local check = require "check"
local system = require "witness.system"
local tool = require "witness.tool"
local vector = require "witness.vector"

tool.compiler = "tests/quick_cc.sh"

local ROUNDING <const> = 50 * 2 ^ -24          -- of 8 steps of 7 stages, in single precision

for _, name in ipairs { "network", "equations", "mixed" } do
  local model = ("tests/numeric/models/%s.lua"):format(name)
  local mesh = {}
  for i = 0, 8 do mesh[i + 1] = 1.5 * i / 8 end
  for _, accumulate in ipairs { "native", "double" } do
    check.case(("%s, accumulate = %s"):format(name, accumulate), function()
      local results = {}
      for _, precision in ipairs { "f64", "f32" } do
        results[precision] = tool.solve(model, {
          gradient = "u[1]^2 + 3*u[2]", mesh = mesh, params = system.load(model, {}):parameters(), saveat = { 0, 1.5 },
          set = { "precision=" .. precision, "accumulate=" .. accumulate } })
      end
      local f64, f32 = results.f64, results.f32
      check.below(vector.distance(f32.u[2], f64.u[2]), ROUNDING)
      check.below(vector.distance(f32.grad_params, f64.grad_params), ROUNDING)
      check.below(vector.distance(f32.grad_u0, f64.grad_u0), ROUNDING)
      check.equal(f32.u[2][1] ~= f64.u[2][1], true)                  -- single precision it was
    end)
  end
end

check.done()
