--- Explicit Adams methods on steps of any lengths (language/multistep.lua):
--
--     u1 = u + the integral of the polynomial through the last p derivatives,     error: its last term.
--
-- A file says which order and which method takes the first p - 1 steps; there are no coefficients to declare.  What the
-- recurrences give is measured on steps of changing lengths.

local contract = require "language.contract"
local controller = require "language.controller"
local header = require "header"
local multistep = require "language.multistep"
local order_conditions = require "language.order_conditions"
local tableau = require "language.tableau"

local adams = {}

adams.fields = {
  family = "string", order = "integer", embedded_order = "integer", start = "string", controller = "table?", aliases = "table?",
  source = "string?",
}

local LARGEST <const> = 1 + header.constant "LRNDE_PAST"       -- as many lengths of steps before are known

-- Lengths of steps, the last one first.
local MESHES <const> = { { 1, 1, 1 }, { 1, 2, 1 }, { 2, 1, 2 }, { 0.7, 1.3, 0.4 } }

--- The weights of f_n, f_{n-1}, .. in u1 and in the error, for p of them.
local function weights(p, h)
  local g, beta, b, err = multistep.g(p, h), multistep.beta(p, h), {}, {}
  for i = 1, p do
    local f = {}
    for j = 1, p do f[j] = i == j and 1.0 or 0.0 end
    local phi = multistep.phi(p, h, f)
    b[i], err[i] = 0.0, g[p] * beta[p] * phi[p]
    for j = 1, p do b[i] = b[i] + g[j] * beta[j] * phi[j] end
  end
  return b, err
end

--- The conditions on the weights that `choose` makes of a mesh: they integrate t^(n-1) over the step, on every mesh.
local function conditions(p, choose)
  return function(n)
    local worst = 0.0
    for _, h in ipairs(MESHES) do
      local sum, t = 0.0, 0.0
      for i, weight in ipairs(choose(weights(p, h))) do
        sum = sum + weight * t ^ (n - 1)
        t = t - (h[i + 1] or 0.0)
      end
      worst = math.max(worst, math.abs(n * sum / h[1] ^ n - 1))
    end
    return worst
  end
end

--- The method of the first steps, which carries what the steps after them want: derivatives, and no stages of its own.
local function load_start(file, data, dense)
  local word, message = tableau.find(data.start)
  if not word then contract.fail(file, "start", "%s", message) end
  for _, name in ipairs(tableau.names(data.family)) do
    if name == word then contract.fail(file, "start", "%s needs a start itself", word) end
  end
  local of, start = tableau.load(word), {}
  if not of.fsal or #(of.err or {}) ~= 1 then
    contract.fail(file, "start", "%s will not do: its last stage must be f(t + h, u1), its error estimate one vector", word)
  end
  if of.order < data.order - 1 then
    contract.fail(file, "start", "%s is of order %d, less than %d", word, of.order, data.order - 1)
  end
  for key, entry in pairs(of) do start[key] = entry end
  start.past, start.dense = data.order - 1, dense
  return start
end

--- The method that `data` describes, checked and completed (language/tableau.lua lists the fields).
function adams.complete(data, file)
  local p = data.order
  if p < 2 or p > LARGEST then contract.fail(file, "order", "is %d; there are Adams methods of order 2 to %d", p, LARGEST) end
  local order, residual = order_conditions.confirm(file, "order", p, conditions(p, function(b) return b end))
  local embedded_order, embedded_residual = order_conditions.confirm(file, "embedded_order", data.embedded_order,
    conditions(p, function(b, err)
      for i, e in ipairs(err) do b[i] = b[i] - e end
      return b
    end))
  -- Cubic Hermite: u and f at both ends of a step are in the carry.
  local dense = { order = 3, hermite = true, extra = 0, extra_c = {}, extra_A = {} }
  return {
    stages = 1, order = order, embedded_order = embedded_order, fsal = true, late = true, past = p - 1,
    declared = { order = p, embedded_order = data.embedded_order }, residual = math.max(residual, embedded_residual),
    c = { 0.0 }, A = { {} }, err = { {} }, combine = "rms", text = { c = { "0" }, A = { {} }, err = { {} } },
    controller = controller.complete(file, data.controller, p, 1),
    dense = dense, start = load_start(file, data, dense),
  }
end

return adams
