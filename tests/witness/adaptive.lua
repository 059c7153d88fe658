--- Step control as numerics texts describe it: the automatic first step and the PI controller over runge_kutta.step.

local runge_kutta = require "witness.runge_kutta"
local vector = require "witness.vector"

local adaptive = {}

local function rms(list, scale)
  local sum = 0
  for i, x in ipairs(list) do sum = sum + (x / scale[i]) ^ 2 end
  return math.sqrt(sum / #list)
end

--- The automatic first step from u at t towards t1 (Hairer, Norsett, Wanner I, II.4, with exponent 1/order).
function adaptive.first_step(tab, f, t, t1, u, tolerance)
  local scale, f0 = {}, f(t, u)
  for i, x in ipairs(u.re) do scale[i] = tolerance.atol + math.abs(x) * tolerance.rtol end
  local d0, d1 = rms(u.re, scale), rms(f0.re, scale)
  local h0 = math.min((d0 < 1e-5 or d1 < 1e-5) and 1e-6 or 0.01 * d0 / d1, t1 - t)
  local difference = vector.combine(f(t + h0, vector.combine(u, h0, { 1 }, { f0 })), -1, { 1 }, { f0 })
  local steepest = math.max(d1, rms(difference.re, scale) / h0)
  local h1 = steepest <= 1e-15 and math.max(1e-6, h0 * 1e-3) or 10 ^ (-(2 + math.log(steepest, 10)) / tab.order)
  return math.min(100 * h0, h1, t1 - t)
end

--- The accepted steps from t0 to t1, how many trials were rejected, and how many of those among the tab.past first steps.
function adaptive.mesh(tab, f, t0, t1, u, tolerance)
  local c, mesh, rejected, first, before = tab.controller, { t0 }, 0, 0, 1e-4
  local t, h, past = t0, adaptive.first_step(tab, f, t0, t1, u, tolerance), {}
  while t < t1 do
    h = math.min(h, t1 - t)
    local step = runge_kutta.step(tab, f, t, h, u, nil, past)
    local E = runge_kutta.error(tab, step, tolerance).value
    local q = E ^ c.beta1 / c.gamma
    if E <= 1 then
      t = math.abs(t + h - t1) < 1e-13 and t1 or t + h
      mesh[#mesh + 1], u, past = t, step.u1, { step, past[1] }
      q, before = math.max(q / before ^ c.beta2, 1 / c.qmax), math.max(E, 1e-4)
    else
      rejected = rejected + 1
      if #mesh <= (tab.past or 0) then first = first + 1 end
    end
    h = h / math.min(q, 1 / c.qmin)
  end
  return mesh, rejected, first
end

return adaptive
