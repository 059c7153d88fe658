--- Explicit Adams steps by their definition: the weights that integrate polynomials through the last p derivatives exactly.
--
-- They are the solution of p linear equations for every step, not a recurrence; and derivatives of steps before are taken anew
-- at their states, not remembered.

local vector = require "witness.vector"

local adams = {}

--- Weights w with sum_i w_i (t_i)^j = 1 / (j + 1), j < n, of the first n times t (in steps from its start).
local function weights(t, n)
  local a, w = {}, {}
  for j = 1, n do
    a[j] = { [n + 1] = 1 / j }
    for i = 1, n do a[j][i] = t[i] ^ (j - 1) end
  end
  for k = 1, n do
    local pivot = k
    for j = k + 1, n do if math.abs(a[j][k]) > math.abs(a[pivot][k]) then pivot = j end end
    a[k], a[pivot] = a[pivot], a[k]
    for j = 1, n do
      local factor = a[j][k] / a[k][k]
      for i = j ~= k and k or n + 2, n + 1 do a[j][i] = a[j][i] - factor * a[k][i] end
    end
  end
  for i = 1, n do w[i] = a[i][n + 1] / a[i][i] end
  return w
end

--- One step: { t, h, u, k = derivatives, here first, u1, err = weights of the error estimate }, after the steps `past`, the last
--- one first.
function adams.step(tab, f, t, h, u, past)
  local p, k, times = tab.order, { f(t, u) }, { 0.0 }
  for i = 1, p - 1 do k[1 + i], times[1 + i] = f(past[i].t, past[i].u), (past[i].t - t) / h end
  local b, err, lower = weights(times, p), {}, weights(times, p - 1)
  for i = 1, p do err[i] = b[i] - (lower[i] or 0) end
  return { t = t, h = h, u = u, z = { u }, k = k, u1 = vector.combine(u, h, b, k), err = { err } }
end

return adams
