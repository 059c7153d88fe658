--- Dense output:  u(t + theta h) = u + h sum_i b_i(theta) k_i,  with  b_i(theta) = sum_j poly[i][j] theta^j, j >= 1.
--
-- A tableau file may give the weights, over its stages and extra ones computed only where dense output is wanted.
-- Without them dense output is the cubic Hermite interpolant of u, f(u), u1, f(u1), written in the same form. So whoever
-- generates code sees one kind of interpolant.

local coefficients = require "language.coefficients"
local contract = require "language.contract"
local order_conditions = require "language.order_conditions"
local rational = require "language.rational"

local interpolant = {}

local FIELDS <const> = { order = "integer", poly = "table", extra_c = "table?", extra_A = "table?" }

local ZERO <const> = rational.integer(0)

-- Cubic Hermite as weights: u1 - u = h sum b_i k_i spreads over the stages as b_i (3 theta^2 - 2 theta^3), on top of
-- theta (1 - theta)^2 for f(u) = k_1 and theta^2 (theta - 1) for f(u1), the last stage.
local function hermite(b, last)
  local poly = {}
  for i = 1, last do
    local w = b[i] or ZERO
    poly[i] = { ZERO, rational.integer(3) * w, rational.integer(-2) * w }
  end
  local function add(i, weights)
    for j, w in ipairs(weights) do poly[i][j] = poly[i][j] + rational.integer(w) end
  end
  add(1, { 1, -2, 1 })
  add(last, { 0, -1, 1 })
  return poly
end

-- The file's weights, one row for each of n stages; rows end where only zeros would follow.
local function read_poly(file, rows, n)
  if #rows ~= n then contract.fail(file, "dense.poly", "has %d rows for %d stages, extra ones included", #rows, n) end
  local poly, degree = {}, 0
  for i = 1, n do
    poly[i] = coefficients.vector(file, ("dense.poly[%d]"):format(i), rows[i]).exact
    degree = math.max(degree, #poly[i])
  end
  for i = 1, n do
    for j = #poly[i] + 1, degree do poly[i][j] = ZERO end
  end
  return poly
end

local function check_endpoint(file, poly, b)
  for i, row in ipairs(poly) do
    local sum = 0.0
    for _, x in ipairs(row) do sum = sum + x end
    local weight = b[i] or 0.0
    if not (math.abs(sum - weight) < order_conditions.TOLERANCE) then
      local field = ("dense.poly[%d]"):format(i)
      contract.fail(file, field, "sums to %.10g; at theta = 1 it must give b[%d] = %.10g", sum, i, weight)
    end
  end
end

--- Dense output of a method, checked. `given` is the field `dense` of the file or nil; A (matrix) and b (list) are read
--- coefficients, fsal tells whether the last stage is f(t + h, u1). Also returns the largest residual of its conditions.
function interpolant.complete(file, given, A, b, fsal)
  local stages = #A
  local extra_c, extra_A, poly
  if given then
    contract.check(given, FIELDS, file, "dense")
    extra_c = coefficients.vector(file, "dense.extra_c", given.extra_c or {})
    extra_A = coefficients.lower(file, "dense.extra_A", given.extra_A or {}, stages + 1, stages + #extra_c.exact)
    order_conditions.confirm_rows(file, "dense.extra_c", extra_c, extra_A)
    poly = read_poly(file, given.poly, stages + #extra_A)
  else
    extra_c = coefficients.round(fsal and {} or { rational.integer(1) })
    extra_A = fsal and {} or { b }
    poly = hermite(b.exact, stages + #extra_A)
  end

  local weights, matrix = {}, coefficients.facet(A, "number")
  for i, row in ipairs(poly) do weights[i] = coefficients.round(row).number end
  local extra_rows = coefficients.facet(extra_A, "number")
  table.move(extra_rows, 1, #extra_rows, stages + 1, matrix)
  check_endpoint(file, weights, b.number)

  local conditions = order_conditions.new(matrix):of_dense(weights)
  local order, residual
  if given then
    order, residual = order_conditions.confirm(file, "dense.order", given.order, conditions)
  else
    order, residual = order_conditions.measure(conditions)
  end
  return {
    order = order, degree = #weights[1], poly = weights, stages = #matrix,
    extra = #extra_rows, extra_c = extra_c.number, extra_A = extra_rows,
  }, residual
end

return interpolant
