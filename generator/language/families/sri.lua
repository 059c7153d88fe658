--- SRI: Roessler's methods for diagonal Ito noise (language/rossler.lua), Euler-Maruyama among them.

local order_conditions = require "language.order_conditions"
local rossler = require "language.rossler"

local sri = {}

sri.fields = rossler.fields { A1 = "table?", B1 = "table?", beta3 = "table?", beta4 = "table?" }

local CONTROL_ORDER <const> = 3 / 2

--- The order conditions (Roessler 2010), level by level; the first is what Euler-Maruyama keeps.
local function levels(m, v)
  local dot, apply, squared = rossler.dot, rossler.apply, rossler.squared
  local level = { { 1 / 2, { dot(m.alpha, v.e), 1 } }, { 1 }, { 3 / 2 } }
  local B1_squared, B1B1e, A1B0e = squared(v.B1e), apply(m.B1, v.B1e), apply(m.A1, v.B0e)
  local sums = {                                                    -- of beta1, .., beta4 with each vector
    { 1, v.e, { 1, 0, 0, 0 } },
    { 2, v.B1e, { 0, 1, 0, 0 } },
    { 3, v.A1e, { 1, 0, -1, 0 } },
    { 3, B1_squared, { 1, 0, -1, 2 } },
    { 3, B1B1e, { 0, 0, 0, 1 } },
  }
  for _, s in ipairs(sums) do
    local at, vector, values = table.unpack(s)
    for i, weights in ipairs(m.beta) do table.insert(level[at], { dot(weights, vector), values[i] }) end
  end
  for _, condition in ipairs {
    { dot(m.alpha, v.A0e), 1 / 2 }, { dot(m.alpha, v.B0e), 1 }, { dot(m.alpha, squared(v.B0e)), 3 / 2 },
    { dot(m.beta[1], A1B0e) / 2 + dot(m.beta[3], A1B0e) / 3, 0 },
  } do
    table.insert(level[3], condition)
  end
  return level
end

--- The method that `data` describes, checked and completed.
function sri.complete(data, file)
  local read = rossler.read(data, file, { "beta1", "beta2", "beta3", "beta4" })
  order_conditions.confirm_rows(file, "c1", read.c1, read.A1)
  return rossler.complete(data, file, read, levels, CONTROL_ORDER)
end

return sri
