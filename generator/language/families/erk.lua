--- Explicit Runge-Kutta methods, embedded or not:
--
--     k_i = f(t + c_i h, u + h sum_j A_ij k_j),     u1 = u + h sum_i b_i k_i,     error = h sum_i (b_i - bhat_i) k_i.
--
-- A file declares little. Here the rest is derived, and what is declared is compared with what is measured.

local coefficients = require "language.coefficients"
local contract = require "language.contract"
local controller = require "language.controller"
local host = require "host"
local interpolant = require "language.interpolant"
local order_conditions = require "language.order_conditions"
local stability = require "language.stability"

local erk = {}

erk.fields = {
  family = "string", order = "integer", embedded_order = "integer|table?",
  c = "table", A = "table", b = "table", bhat = "table?", err = "table?", combine = "string?", fsal = "boolean?",
  controller = "table?", dense = "table?", aliases = "table?", source = "string?",
}

-- How the norms of the error vectors become one number, and of how many vectors: their RMS norm, or Hairer's
-- e5^2 / sqrt(e5^2 + 0.01 e3^2) of a fifth and a third order estimate.
local COMBINE <const> = { rms = 1, hairer53 = 2 }

-- The error vectors as lists of coefficients, formed exactly (nil: the method has no estimate), and their combination.
local function read_errors(file, data, b)
  local combine = data.combine or "rms"
  if not COMBINE[combine] then
    contract.fail(file, "combine", "unknown '%s'%s", combine, contract.suggestion(combine, contract.names(COMBINE)))
  end
  if data.bhat and data.err then
    contract.fail(file, "err", "given beside 'bhat'; one of them determines the error estimate")
  end
  local errors
  if data.bhat then
    local bhat, exact = coefficients.vector(file, "bhat", data.bhat, #b.exact), {}
    for i, weight in ipairs(b.exact) do exact[i] = weight - bhat.exact[i] end
    errors = { coefficients.round(exact) }
  elseif data.err then
    errors = {}
    for v, entries in ipairs(data.err) do errors[v] = coefficients.vector(file, ("err[%d]"):format(v), entries, #b.exact) end
  elseif data.combine then
    contract.fail(file, "combine", "there is no error estimate ('bhat' or 'err') to combine")
  end
  if errors and #errors ~= COMBINE[combine] then
    contract.fail(file, "combine", "'%s' takes %d error vectors, not %d", combine, COMBINE[combine], #errors)
  end
  return errors, combine
end

-- The orders of the embedded methods b - err, one for each error vector; checks those declared.
local function embedded_orders(file, data, conditions, b, errors)
  if not errors then
    if data.embedded_order then
      contract.fail(file, "embedded_order", "declared, but there is no error estimate ('bhat' or 'err')")
    end
    return nil, 0.0
  end
  if data.embedded_order == nil then host.fail(("%s: missing field 'embedded_order'"):format(file)) end
  local declared = type(data.embedded_order) == "table" and data.embedded_order or { data.embedded_order }
  if #declared ~= #errors then
    contract.fail(file, "embedded_order", "gives %d orders for %d error vectors", #declared, #errors)
  end
  local orders, worst = {}, 0.0
  for v, err in ipairs(errors) do
    local bhat = {}
    for i, weight in ipairs(b.number) do bhat[i] = weight - err.number[i] end
    local residual
    orders[v], residual = order_conditions.confirm(file, "embedded_order", declared[v], conditions:of(bhat))
    worst = math.max(worst, residual)
  end
  return #orders == 1 and orders[1] or orders, worst
end

-- First same as last: the last stage is f(t + h, u1).
local function is_fsal(A, b, c)
  local s = #A
  for i = 1, s do
    if b.number[i] ~= (A[s].number[i] or 0.0) then return false end
  end
  return c.number[s] == 1.0
end

-- The last two stages at t + h: their quotient of differences estimates the stiffness.
local function stiffness_pair(c)
  local at_end = {}
  for i, x in ipairs(c.number) do
    if x == 1.0 then at_end[#at_end + 1] = i end
  end
  local n = #at_end
  return n >= 2 and { at_end[n - 1], at_end[n] } or nil
end

--- The method that `data` describes, checked and completed (language/tableau.lua lists the fields).
function erk.complete(data, file)
  local c = coefficients.vector(file, "c", data.c)
  local stages = #c.exact
  if stages == 0 then contract.fail(file, "c", "a method has at least one stage") end
  local A = coefficients.lower(file, "A", data.A, 1, stages)
  local b = coefficients.vector(file, "b", data.b, stages)
  local errors, combine = read_errors(file, data, b)
  local row_residual = order_conditions.confirm_rows(file, "c", c, A)

  local matrix = coefficients.facet(A, "number")
  local conditions = order_conditions.new(matrix)
  local order, residual = order_conditions.confirm(file, "order", data.order, conditions:of(b.number))
  if order == 0 then contract.fail(file, "b", "the weights do not sum to 1") end
  local embedded_order, embedded_residual = embedded_orders(file, data, conditions, b, errors)
  local fsal = is_fsal(A, b, c)
  if data.fsal ~= nil and data.fsal ~= fsal then
    contract.fail(file, "fsal", "declared %s, but the last stage is %sf(t + h, u1)", data.fsal, fsal and "" or "not ")
  end
  local dense, dense_residual = interpolant.complete(file, data.dense, A, b, fsal)

  return {
    stages = stages, order = order, embedded_order = embedded_order, fsal = fsal,
    declared = { order = data.order, embedded_order = data.embedded_order, fsal = data.fsal },
    residual = math.max(row_residual, residual, embedded_residual, dense_residual),
    c = c.number, A = matrix, b = b.number, err = errors and coefficients.facet(errors, "number"), combine = combine,
    text = {
      c = c.text, A = coefficients.facet(A, "text"), b = b.text,
      err = errors and coefficients.facet(errors, "text"),
    },
    controller = controller.complete(file, data.controller, order, 1),
    dense = dense,
    stiffness_pair = stiffness_pair(c),
    real_stability_limit = stability.real_limit(matrix, b.number),
  }
end

return erk
