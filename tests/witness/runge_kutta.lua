--- Steps as the textbook has them, those of explicit Runge-Kutta methods here, linearly implicit ones from rosenbrock.lua and
--- those of Adams methods from adams.lua, and the solver's estimates of one, over vectors with a derivative.

local adams = require "witness.adams"
local dual = require "witness.dual"
local rosenbrock = require "witness.rosenbrock"
local vector = require "witness.vector"

local runge_kutta = {}

--- One step: { t, h, u, z = stage arguments, k = stages, u1, err = weights of its error estimates, past = steps before }.  k1 is
--- f(t, u) unless it is given; past: the steps before, the last one first, if the method remembers them.
function runge_kutta.step(tab, f, t, h, u, k1, past)
  if tab.start then
    local first = #(past or {}) < tab.past
    local step = first and runge_kutta.step(tab.start, f, t, h, u, k1) or adams.step(tab, f, t, h, u, past)
    step.past = past or {}
    return step
  end
  if tab.family == "rosenbrock" then return rosenbrock.step(tab, f, t, h, u, k1) end
  local step = { t = t, h = h, u = u, z = {}, k = {}, err = tab.err }
  for i = 1, tab.stages do
    step.z[i] = vector.combine(u, h, tab.A[i], step.k)
    step.k[i] = i == 1 and k1 or f(t + tab.c[i] * h, step.z[i])
  end
  step.u1 = vector.combine(u, h, tab.b, step.k)
  return step
end

--- The steps over a mesh.
function runge_kutta.integrate(tab, f, mesh, u)
  local steps = {}
  for i = 1, #mesh - 1 do
    steps[i] = runge_kutta.step(tab, f, mesh[i], mesh[i + 1] - mesh[i], u, nil, { steps[i - 1], steps[i - 2] })
    u = steps[i].u1
  end
  return steps
end

--- u(t) of the integration: dense output of the step that contains t, its start or end where t is one of the mesh.
function runge_kutta.at(tab, f, steps, t)
  local step = runge_kutta.containing(steps, t)
  if t == step.t then return step.u end
  if t == step.t + step.h then return step.u1 end
  if tab.dense.hermite then return runge_kutta.hermite(f, step, (t - step.t) / step.h) end
  local k = table.move(step.k, 1, #step.k, 1, {})
  for e = 1, tab.dense.extra do
    k[#k + 1] = f(step.t + tab.dense.extra_c[e] * step.h, vector.combine(step.u, step.h, tab.dense.extra_A[e], k))
  end
  local theta, weights = (t - step.t) / step.h, {}
  for i, row in ipairs(tab.dense.poly) do
    weights[i] = 0
    for j, c in ipairs(row) do weights[i] = weights[i] + c * theta ^ j end
  end
  return vector.combine(step.u, step.h, weights, k)
end

--- Cubic Hermite: of u and f at both ends of a step.
function runge_kutta.hermite(f, step, x)
  local h, f0, f1 = step.h, f(step.t, step.u), f(step.t + step.h, step.u1)
  local y = 1 - x
  local zeros = vector.combine(step.u, -1, { 1 }, { step.u })
  return vector.combine(zeros, 1, { (1 + 2 * x) * y * y, x * x * (3 - 2 * x), h * x * y * y, -h * x * x * y },
                        { step.u, step.u1, f0, f1 })
end

--- The step that contains t; at a point of the mesh, the step that starts there.
function runge_kutta.containing(steps, t)
  for i = #steps, 1, -1 do
    if t >= steps[i].t then return steps[i] end
  end
end

local function entry(v, i) return dual(v.re[i], v.im[i] / vector.tiny) end

--- mean of (entries of h sum_i weights[i] k_i, over their scale)^2, a dual number; tolerance nil: not scaled.
local function mean_square(step, weights, tolerance)
  local n, zeros = #step.u.re, {}
  for i = 1, n do zeros[i] = 0 end
  local e, sum = vector.combine(vector.constant(zeros), step.h, weights, step.k), dual(0, 0)
  for i = 1, n do
    local r = entry(e, i)
    if tolerance then
      r = r / (tolerance.atol + entry(step.u, i):abs():max(entry(step.u1, i):abs()) * tolerance.rtol)
    end
    sum = sum + r * r
  end
  return sum / n
end

--- The error estimate E of a step, a dual number.
function runge_kutta.error(tab, step, tolerance)
  local err = step.err or tab.err
  local first = mean_square(step, err[1], tolerance)
  if tab.combine == "rms" or not tab.combine then return first:sqrt() end
  assert(tab.combine == "hairer53")
  return first / (first + 0.01 * mean_square(step, err[2], tolerance)):sqrt()
end

--- How many times farther from a solution than others a method may be at some tolerance: the errors of one that is controlled
--- by an estimate of its own error, and not of a lower order's, add up over the steps.
function runge_kutta.slack(tab)
  local embedded = tab.embedded_order
  return type(embedded) == "number" and embedded > tab.order and 10 or 1
end

--- The stiffness estimate S of a step: RMS(k_s - k_j) / RMS(z_s - z_j) over the method's limit, a dual number.
function runge_kutta.stiffness(tab, step)
  local j, s = table.unpack(tab.stiffness_pair)
  local function square(list)
    local sum = dual(0, 0)
    for i = 1, #step.u.re do
      local d = entry(list[s], i) - entry(list[j], i)
      sum = sum + d * d
    end
    return sum
  end
  return (square(step.k) / square(step.z)):sqrt() / tab.real_stability_limit
end

return runge_kutta
