--- Explicit Adams methods: a step from the derivatives at its start and at the starts of the steps before it, on steps of any
-- lengths (language/multistep.lua has the recurrences).
--
--   u1 = u + sum_j g_j beta_j Phi_j,  err = the last term
--
-- The step evaluates no right-hand side: f(t + h, u1), which the next one begins with, is wanted only if it is accepted.  The
-- first steps are those of another method.  The rest is that of every method (one_step.lua).

local multistep = require "language.multistep"
local one_step = require "one_step"
local value = require "language.value"

local adams = { doc = "explicit Adams: variable steps, one evaluation each; another method takes the first" }

function adams.formulas(tab)
  local list, terms = {}, {}
  for j = 1, tab.order do
    terms[j] = j == 1 and "g1 k1" or ("g%d beta%d phi%d"):format(j, j, j)
    if j > 1 then list["phi" .. j] = ("phi%d = phi%d(n) - beta%d(n-1) phi%d(n-1), phi1 = k1"):format(j, j - 1, j - 1, j - 1) end
  end
  list.u1, list.err = "u1 = u + " .. table.concat(terms, " + "), "err = " .. terms[#terms]
  return list
end

--- One step from u; k1 = f(t, u), past[i] = f at the start of the i-th step before.
function adams.step(k, system, tab, u, _, h, _, k1, past)
  local p, lengths, step = tab.order, { h }, { u = u, k = { k1 }, z = { u }, u1 = {}, err = { {} } }
  for i = 1, tab.past do lengths[1 + i] = k:scalar("h_" .. i) end
  local factors = multistep.g(p, lengths)
  for j, beta in ipairs(multistep.beta(p, lengths)) do
    if j > 1 then factors[j] = factors[j] * beta end
    if value.is(factors[j]) and value.info(factors[j]).op ~= "input" then k.graph:name(factors[j].id, "g_beta_" .. j) end
  end
  local phi = {}
  for c in ipairs(u) do
    local f = { k1[c] }
    for i = 1, tab.past do f[1 + i] = past[i][c] end
    for j, v in ipairs(multistep.phi(p, lengths, f)) do
      phi[j] = phi[j] or {}
      phi[j][c] = v
    end
  end
  for c in ipairs(u) do
    local sum = u[c]
    for j = 1, p do sum = sum + factors[j] * phi[j][c] end
    step.u1[c], step.err[1][c] = sum, factors[p] * phi[p][c]
  end
  for j = 2, p do one_step.name(k, system, phi[j], "phi" .. j) end
  one_step.name(k, system, step.u1, "u1")
  one_step.name(k, system, step.err[1], "err")
  return step
end

return one_step.stepper(adams)
