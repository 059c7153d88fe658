--- Rosenbrock methods, in the form that needs no product with the Jacobian (Hairer & Wanner, IV.7):
--
--     (I/gamma - h J) k_i = f(t + c_i h, u + h sum_j A_ij k_j) + d_i h f_t + sum_j C_ij k_j,     j < i,
--     u1 = u + h sum_i m_i k_i,     error = h sum_i e_i k_i,
--     u(t + theta h) = (1 - theta) u + theta (u1 + (1 - theta) h sum_i (H_1i + theta (H_2i + ..)) k_i),
--
-- with J = f_u and f_t at (t, u).  Literature has U_i = h k_i.  As a file gives it the method is not what the order
-- conditions speak of; the same method in their variables is
--
--     Gamma = (I/gamma - C)^-1,     alpha = A Gamma,     b = m Gamma.
--
-- c and d are the sums of the rows of alpha and Gamma: so the method treats t as one more component of u.

local coefficients = require "language.coefficients"
local contract = require "language.contract"
local controller = require "language.controller"
local order_conditions = require "language.order_conditions"
local rational = require "language.rational"

local rosenbrock = {}

rosenbrock.fields = {
  family = "string", order = "integer", embedded_order = "integer", gamma = "string|number", c = "table", d = "table",
  A = "table", C = "table", m = "table", err = "table", dense = "table", controller = "table?", aliases = "table?",
  source = "string?",
}

-- How much of a step is kept when it might be a little longer or shorter: a new step is a new factorisation.
local QSTEADY <const> = 1.2

-- A dense Jacobian is a column of text for each feature.
local LARGEST <const> = 256

-- The inverse of the lower triangular matrix I/gamma - C.
local function inverse(gamma, C)
  local rows = {}
  for i, c in ipairs(C) do
    local row = {}
    for j = 1, i do
      local sum = i == j and 1.0 or 0.0
      for k = j, i - 1 do sum = sum + c[k] * rows[k][j] end
      row[j] = gamma * sum
    end
    rows[i] = row
  end
  return rows
end

-- weights Gamma: weights of k_i as those of the textbook's stages; Gamma has ragged rows.
local function transformed(weights, Gamma)
  local result = {}
  for j = 1, #Gamma do
    result[j] = 0.0
    for i = j, #weights do result[j] = result[j] + weights[i] * Gamma[i][j] end
  end
  return result
end

local function sum_of(row)
  local sum = 0.0
  for _, x in ipairs(row) do sum = sum + x end
  return sum
end

-- Fails unless `list` holds the sums of the rows; returns the largest residual.
local function confirm_sums(file, field, list, rows, of)
  local worst = 0.0
  for i, row in ipairs(rows) do
    local residual = math.abs(sum_of(row) - list.number[i])
    if not (residual < order_conditions.TOLERANCE) then
      contract.fail(file, ("%s[%d]"):format(field, i), "is %s, but that row of %s sums to %.10g", list.text[i], of, sum_of(row))
    end
    worst = math.max(worst, residual)
  end
  return worst
end

-- The weights of dense output as polynomials in theta: theta m_i + sum_r H_ri (theta^r - theta^(r+1)).
local function read_dense(file, given, m)
  contract.check(given, { order = "integer", H = "table" }, file, "dense")
  local H, poly = {}, {}
  for r, row in ipairs(given.H) do H[r] = coefficients.vector(file, ("dense.H[%d]"):format(r), row, #m).exact end
  if #H == 0 then contract.fail(file, "dense.H", "has no rows") end
  for i = 1, #m do
    poly[i] = {}
    for j = 1, #H + 1 do
      local weight = j == 1 and m[i] or rational.integer(0)
      if H[j] then weight = weight + H[j][i] end
      if H[j - 1] then weight = weight - H[j - 1][i] end
      poly[i][j] = weight
    end
    poly[i] = coefficients.round(poly[i]).number
  end
  return poly
end

-- The polynomials of k_i as those of the textbook's stages.
local function transformed_poly(poly, Gamma)
  local result = {}
  for i in ipairs(poly) do result[i] = {} end
  for j in ipairs(poly[1]) do
    local column = {}
    for i, row in ipairs(poly) do column[i] = row[j] end
    for i, weight in ipairs(transformed(column, Gamma)) do result[i][j] = weight end
  end
  return result
end

--- The method that `data` describes, checked and completed (language/tableau.lua lists the fields; beside them C, d, gamma).
function rosenbrock.complete(data, file)
  local gamma = coefficients.read(file, "gamma", data.gamma)
  if not (gamma:tonumber() > 0) then contract.fail(file, "gamma", "must be positive") end
  local c = coefficients.vector(file, "c", data.c)
  local stages = #c.exact
  if stages == 0 then contract.fail(file, "c", "a method has at least one stage") end
  local d, m = coefficients.vector(file, "d", data.d, stages), coefficients.vector(file, "m", data.m, stages)
  local err = coefficients.vector(file, "err", data.err, stages)
  local A, C = coefficients.lower(file, "A", data.A, 1, stages), coefficients.lower(file, "C", data.C, 1, stages)

  local Gamma, alpha, beta = inverse(gamma:tonumber(), coefficients.facet(C, "number")), {}, {}
  for i, row in ipairs(coefficients.facet(A, "number")) do
    alpha[i], beta[i] = transformed(row, Gamma), {}
    for j = 1, stages do beta[i][j] = alpha[i][j] + (Gamma[i][j] or 0.0) end
  end
  local worst = math.max(confirm_sums(file, "c", c, alpha, "A Gamma"), confirm_sums(file, "d", d, Gamma, "Gamma"))
  local conditions = order_conditions.new(alpha, beta)
  local function confirm(field, declared, weights)
    local order, residual = order_conditions.confirm(file, field, declared, weights)
    worst = math.max(worst, residual)
    return order
  end
  local hat = {}
  for i, weight in ipairs(m.number) do hat[i] = weight - err.number[i] end
  local order = confirm("order", data.order, conditions:of(transformed(m.number, Gamma)))
  local embedded_order = confirm("embedded_order", data.embedded_order, conditions:of(transformed(hat, Gamma)))
  local poly = read_dense(file, data.dense, m.exact)
  local dense_order = confirm("dense.order", data.dense.order, conditions:of_dense(transformed_poly(poly, Gamma)))

  return {
    stages = stages, order = order, embedded_order = embedded_order, fsal = false,
    declared = { order = data.order, embedded_order = data.embedded_order },
    residual = worst, precision = "f64", largest_state = LARGEST,
    gamma = gamma:tonumber(), c = c.number, d = d.number, A = coefficients.facet(A, "number"),
    C = coefficients.facet(C, "number"), b = m.number, err = { err.number }, combine = "rms",
    text = { gamma = tostring(data.gamma), c = c.text, d = d.text, A = coefficients.facet(A, "text"),
             C = coefficients.facet(C, "text"), b = m.text, err = { err.text } },
    controller = controller.complete(file, data.controller, order, QSTEADY),
    dense = { order = dense_order, degree = #poly[1], poly = poly, stages = stages, extra = 0, extra_c = {}, extra_A = {} },
  }
end

return rosenbrock
