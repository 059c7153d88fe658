--- Rosenbrock steps as the textbook has them, over vectors with a derivative.
--
-- The Jacobian is that of differences over eight points, of f and of its derivative alike: no rule of differentiation takes
-- part.  Equations are solved by elimination with dual numbers.

local dual = require "witness.dual"
local vector = require "witness.vector"

local rosenbrock = {}

local POINTS <const> = { 4 / 5, -1 / 5, 4 / 105, -1 / 280 }       -- weights of f(x + n h) - f(x - n h), over h
local STEP <const> = 2 ^ -6

--- The derivative at 0 of x -> f(x), a vector of x.
local function derivative(f)
  local sum
  for n, weight in ipairs(POINTS) do
    for _, sign in ipairs { 1, -1 } do
      local v = f(sign * n * STEP)
      sum = sum or vector.combine(v, -1, { 1 }, { v })
      sum = vector.combine(sum, sign * weight / STEP, { 1 }, { v })
    end
  end
  return sum
end

local function moved(u, j, x)
  local v = vector.combine(u, 0, {}, {})
  v.re[j] = v.re[j] + x
  return v
end

local function duals(v)
  local list = {}
  for i, x in ipairs(v.re) do list[i] = dual(x, v.im[i] / vector.tiny) end
  return list
end

--- The solution of M x = b; M as a list of columns.
local function solve(columns, b)
  local n, a, x = #b.re, {}, duals(b)
  for j, column in ipairs(columns) do a[j] = duals(column) end
  for k = 1, n do
    local pivot = k
    for i = k + 1, n do if math.abs(a[k][i].value) > math.abs(a[k][pivot].value) then pivot = i end end
    for j = 1, n do a[j][k], a[j][pivot] = a[j][pivot], a[j][k] end
    x[k], x[pivot] = x[pivot], x[k]
    for i = 1, n do
      if i ~= k then
        local factor = a[k][i] / a[k][k]
        for j = k, n do a[j][i] = a[j][i] - factor * a[j][k] end
        x[i] = x[i] - factor * x[k]
      end
    end
  end
  local result = { re = {}, im = {} }
  for i = 1, n do
    local y = x[i] / a[i][i]
    result.re[i], result.im[i] = y.value, y.slope * vector.tiny
  end
  return result
end

--- One step: { t, h, u, z = stage arguments, k = stages, u1 }, for one sample.  f0 is f(t, u) unless it is given.
function rosenbrock.step(tab, f, t, h, u, f0)
  local step = { t = t, h = h, u = u, z = {}, k = {} }
  local f_t, columns = derivative(function(x) return f(t + x, u) end), {}
  for j = 1, #u.re do
    local column = derivative(function(x) return f(t, moved(u, j, x)) end)
    columns[j] = vector.combine(column, -h - 1, { 1 }, { column })                     -- -h column
    columns[j].re[j] = columns[j].re[j] + 1 / tab.gamma
  end
  for i = 1, tab.stages do
    step.z[i] = vector.combine(u, h, tab.A[i], step.k)
    local r = i == 1 and f0 or f(t + tab.c[i] * h, step.z[i])
    step.k[i] = solve(columns, vector.combine(vector.combine(r, tab.d[i] * h, { 1 }, { f_t }), 1, tab.C[i], step.k))
  end
  step.u1 = vector.combine(u, h, tab.b, step.k)
  return step
end

return rosenbrock
