--- Roessler's stochastic Runge-Kutta methods for diagonal Ito noise  du = f(u, t) dt + g(u, t) dW,  strong order up to 1.5:
--
--     H0_i = u + h sum_j A0_ij f_j + chi2 sum_j B0_ij g_j,      f_i = f(H0_i, t + c0_i h)
--     H1_i = u + h sum_j A1_ij f_j + sqrt(h) sum_j B1_ij g_j,   g_i = g(H1_i, t + c1_i h)
--     u1   = u + h sum_i alpha_i f_i + sum_i (beta1_i dW + beta2_i chi1 + beta3_i chi2 + beta4_i chi3) g_i
--
--     chi1 = I(1,1) / sqrt(h) = (dW^2 - h) / (2 sqrt(h)),       chi2 = I(1,0) / h = (dW + dZ / sqrt(3)) / 2,
--     chi3 = I(1,1,1) / h     = (dW^3 - 3 h dW) / (6 h),        dW and dZ independent, N(0, h), one each a component
--
-- (Roessler, SIAM J. Numer. Anal. 48(3), 2010.)  What the families sri and sra have in common: sra is the case of additive
-- noise, g = g(t), where A1 = B1 = 0 and only dW and chi2 occur.  Euler-Maruyama is the case of one stage.

local coefficients = require "language.coefficients"
local contract = require "language.contract"
local controller = require "language.controller"
local order_conditions = require "language.order_conditions"
local rational = require "language.rational"

local rossler = {}

--- Fields that the files of both families have, besides those that say what the family is about.  delta: the factor of the
--- drift in the error estimate; without it a method has fixed steps only.
function rossler.fields(own)
  local fields = {
    family = "string", order = "string|number", c0 = "table", c1 = "table", A0 = "table", B0 = "table", alpha = "table",
    beta1 = "table", beta2 = "table?", delta = "string|number?", controller = "table?", aliases = "table?", source = "string?",
  }
  for name, kind in pairs(own) do fields[name] = kind end
  return fields
end

-- Coefficients that a family has not: zeros.
local function zeros(n)
  local list = {}
  for i = 1, n do list[i] = rational.integer(0) end
  return coefficients.round(list)
end

-- A strictly lower triangular matrix of a file, or, of a family without it, zeros.
local function read_matrix(file, field, rows, stages)
  if rows then return coefficients.lower(file, field, rows, 1, stages) end
  local matrix = {}
  for i = 1, stages do matrix[i] = zeros(i - 1) end
  return matrix
end

--- The coefficients of a file; weights: the names of its weights of dW, chi1, chi2 and chi3, false where the family has none.
function rossler.read(data, file, weights)
  local read = { c0 = coefficients.vector(file, "c0", data.c0), beta = {} }
  local stages = #read.c0.exact
  for _, name in ipairs { "c1", "alpha" } do read[name] = coefficients.vector(file, name, data[name], stages) end
  for _, name in ipairs { "A0", "A1", "B0", "B1" } do read[name] = read_matrix(file, name, data[name], stages) end
  for i, name in ipairs(weights) do
    read.beta[i] = name and data[name] and coefficients.vector(file, name, data[name], stages) or zeros(stages)
  end
  return read
end

--- sum_i a_i b_i; the entries a list has not are zero.
function rossler.dot(a, b)
  local sum = 0.0
  for i, x in ipairs(a) do sum = sum + x * (b[i] or 0.0) end
  return sum
end

--- A v.
function rossler.apply(A, v)
  local image = {}
  for i, row in ipairs(A) do image[i] = rossler.dot(row, v) end
  return image
end

function rossler.squared(v)
  local list = {}
  for i, x in ipairs(v) do list[i] = x * x end
  return list
end

--- The vectors that order conditions are made of.
local function vectors(m)
  local e = {}
  for i = 1, m.stages do e[i] = 1.0 end
  return { e = e, A0e = rossler.apply(m.A0, e), B0e = rossler.apply(m.B0, e),
           A1e = rossler.apply(m.A1, e), B1e = rossler.apply(m.B1, e) }
end

--- The strong order of a method: that of the last level all of whose conditions hold, and the largest residual so far.
-- levels: { { order, { left side, right side }.. }, .. }.
local function measure(levels)
  local order, worst = 0.0, 0.0
  for _, level in ipairs(levels) do
    for i = 2, #level do
      local residual = math.abs(level[i][1] - level[i][2])
      if not (residual < order_conditions.TOLERANCE) then return order, worst, residual end
      worst = math.max(worst, residual)
    end
    order = level[1]
  end
  return order, worst
end

local function confirm_order(file, declared, levels)
  local order, worst, after = measure(levels)
  if declared ~= order then
    contract.fail(file, "order", "declared %g, but the order conditions hold to strong order %g%s", declared, order,
                  after and ("; beyond it they leave %.2g"):format(after) or "")
  end
  if order == 0 then contract.fail(file, "alpha", "alpha and beta1 sum to 1, the other weights of a method to 0") end
  return order, worst
end

-- For each stage the first one with the same argument and time, itself or an earlier one; nil where `wanted` does not hold.
local function distinct(c, rows, wanted)
  local first = {}
  local function same(i, j)
    if c[i] ~= c[j] then return false end
    for _, matrix in ipairs(rows) do
      for q = 1, math.max(#matrix[i], #matrix[j]) do
        if (matrix[i][q] or 0) ~= (matrix[j][q] or 0) then return false end
      end
    end
    return true
  end
  for i = 1, #c do
    if wanted(i) then
      first[i] = i
      for j = i - 1, 1, -1 do if first[j] == j and same(i, j) then first[i] = j end end
    end
  end
  return first
end

-- Does stage i occur with a weight in one of the lists, or in the column i of one of the matrices?
local function used(i, lists, matrices)
  for _, list in ipairs(lists) do if list[i] ~= 0 then return true end end
  for _, matrix in ipairs(matrices) do
    for j = i + 1, #matrix do if matrix[j][i] ~= 0 then return true end end
  end
  return false
end

local function uses_chi2(m)
  for i = 1, m.stages do if used(i, { m.beta[3] }, { m.B0 }) then return true end end
  return false
end

--- The method of a file, completed.  read: of rossler.read; levels(m, v): the order conditions, of the vectors above;
--- control_order: what the controller's defaults are made from.
function rossler.complete(data, file, read, levels, control_order)
  local m = { stages = #read.c0.exact, c0 = read.c0.number, c1 = read.c1.number, alpha = read.alpha.number, beta = {} }
  m.text = { c0 = read.c0.text, c1 = read.c1.text, alpha = read.alpha.text, beta = {} }
  for _, name in ipairs { "A0", "A1", "B0", "B1" } do
    m[name], m.text[name] = coefficients.facet(read[name], "number"), coefficients.facet(read[name], "text")
  end
  for i, weights in ipairs(read.beta) do m.beta[i], m.text.beta[i] = weights.number, weights.text end

  local declared = coefficients.read(file, "order", data.order):tonumber()
  local order, residual = confirm_order(file, declared, levels(m, vectors(m)))
  m.order, m.declared = order, { order = declared }
  m.residual = math.max(residual, order_conditions.confirm_rows(file, "c0", read.c0, read.A0))
  m.controller = controller.complete(file, data.controller, control_order, 1)
  m.first_order = control_order + 0.5                               -- of the automatic first step

  m.drift = distinct(m.c0, { m.A0, m.B0 }, function(i) return used(i, { m.alpha }, { m.A0, m.A1 }) end)
  m.diffusion = distinct(m.c1, { m.A1, m.B1 }, function(i) return used(i, m.beta, { m.B0, m.B1 }) end)
  m.noise = uses_chi2(m) and 2 or 1                                 -- dW, and dZ if chi2 occurs
  m.fsal, m.dense = false, { order = 1, linear = true, extra = 0 }
  if data.delta then
    m.delta = coefficients.read(file, "delta", data.delta):tonumber()
    m.err = { { m.delta } }
  end
  return m
end

return rossler
