--- Explicit Runge-Kutta methods: a tableau expanded over a system, any number of stages, FSAL or not.
--
--   k_i = f(t + c_i h, z_i),  z_i = u + h sum_{j<i} a_ij k_j
--
-- The rest is that of every one-step method (one_step.lua).

local one_step = require "one_step"

local erk = { doc = "explicit Runge-Kutta, embedded error estimate, FSAL reused" }

function erk.formulas(tab)
  local list, text = one_step.formulas(tab), tab.text
  for i = 2, tab.stages do
    local z, c = "z" .. i, tab.c[i] == 1 and "h" or one_step.coefficient(text.c[i], "c" .. i) .. " h"
    list[z] = ("%s = u + %s"):format(z, one_step.weighted(tab.A[i], text.A[i], "a" .. i .. "_"))
    list["k" .. i] = ("k%d = f(t + %s, %s)"):format(i, c, tab.fsal and i == tab.stages and "u1" or z)
  end
  return list
end

function erk.step(k, system, tab, u, t, h, constants, f0)
  local step = { u = u, k = {}, z = { u } }
  step.k[1] = f0 or one_step.evaluate(k, system, u, t, constants, one_step.read_external(k, system, 0))
  for i = 2, tab.stages do
    step.z[i] = one_step.combine(k, system, u, h, tab.A[i], tab.text.A[i], step.k, "h_a" .. i, "z" .. i)
    local ti = t + k:const(tab.c[i], tab.text.c[i]) * h
    local f = one_step.evaluate(k, system, step.z[i], ti, constants, one_step.read_external(k, system, i - 1))
    step.k[i] = one_step.name(k, system, f, "k" .. i)
  end
  local fsal = tab.fsal and one_step.name(k, system, step.z[tab.stages], "u1")
  step.u1 = fsal or one_step.combine(k, system, u, h, tab.b, tab.text.b, step.k, "h_b", "u1")
  return step
end

return one_step.stepper(erk)
