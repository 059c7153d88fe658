--- Stochastic Runge-Kutta methods for  du = f(u, t) dt + g(u, t) dW,  Ito, diagonal noise (language/rossler.lua): a tableau
-- expanded over a system.
--
--   z_i = u + h sum_j A0_ij f_j + chi2 sum_j B0_ij g_j,      f_i = f(z_i, t + c0_i h)
--   y_i = u + h sum_j A1_ij f_j + sqrt(h) sum_j B1_ij g_j,   g_i = g(y_i, t + c1_i h)
--   u1  = u + h sum alpha_i f_i + dW sum beta1_i g_i + chi1 sum beta2_i g_i + noise_err
--   noise_err = chi2 sum beta3_i g_i + chi3 sum beta4_i g_i,   drift_err = h sum f_i
--   E   = RMS((delta drift_err + noise_err) / (atol + max(|u|, |u1|) rtol)), signs kept      (Rackauckas & Nie, 2017)
--
-- Such a system has one component, of all samples, and beside rhs, the drift, a `diffusion` of the same form.  Its step reads
-- the increments noise[0] = dW and, where the method wants chi2, noise[1] = dZ.  Stages with equal arguments are one.  Between
-- the ends of a step u is interpolated linearly.  The rest is that of every one-step method (one_step.lua).

local one_step = require "one_step"
local value = require "language.value"

local rossler = { aliases = { "sri", "sra" },
                  doc = "stochastic Runge-Kutta for diagonal Ito noise (SRI) or additive noise (SRA); Euler-Maruyama" }

-- ---- formulas ----

local function is_zero(weights)
  for _, w in ipairs(weights) do if w ~= 0 then return false end end
  return true
end

--- "u + h (..) + chi2 (..)": two sums of stages, { factor, weights, texts, symbol, of }; what is empty is left out.
local function plus(...)
  local text = "u"
  for _, part in ipairs { ... } do
    local factor, weights, texts, symbol, of = table.unpack(part)
    if not is_zero(weights) then text = text .. " + " .. one_step.weighted(weights, texts, symbol, factor, of) end
  end
  return text
end

local function time(c, text, symbol)
  return c == 0 and "t" or c == 1 and "t + h" or ("t + %s h"):format(one_step.coefficient(text, symbol))
end

--- What a step computes, for the reader of the emitted text: { [name of a value] = formula }.
function rossler.formulas(tab)
  local list, text, noise = {}, tab.text, {}
  for i = 1, tab.stages do
    local z = plus({ "h", tab.A0[i], text.A0[i], ("a0_%d_"):format(i), "f" },
                   { "chi2", tab.B0[i], text.B0[i], ("b0_%d_"):format(i), "g" })
    local y = plus({ "h", tab.A1[i], text.A1[i], ("a1_%d_"):format(i), "f" },
                   { "sqrt(h)", tab.B1[i], text.B1[i], ("b1_%d_"):format(i), "g" })
    list["z" .. i], list["y" .. i] = ("z%d = %s"):format(i, z), ("y%d = %s"):format(i, y)
    list["f" .. i] = ("f%d = f(%s, %s)"):format(i, time(tab.c0[i], text.c0[i], "c0_" .. i), z == "u" and z or "z" .. i)
    list["g" .. i] = ("g%d = g(%s, %s)"):format(i, time(tab.c1[i], text.c1[i], "c1_" .. i), y == "u" and y or "y" .. i)
  end
  for q, weights in ipairs(tab.beta) do
    if not is_zero(weights) then noise[#noise + 1] = (" + %s sum beta%d_i g_i"):format(q == 1 and "dW" or "chi" .. q - 1, q) end
  end
  list.chi1 = "chi1 = I(1,1) / sqrt(h) = (dW^2 - h) / (2 sqrt(h))"
  list.chi2 = "chi2 = I(1,0) / h = (dW + dZ / sqrt(3)) / 2"
  list.chi3 = "chi3 = I(1,1,1) / h = (dW^3 - 3 h dW) / (6 h)"
  list.err = ("err = %s h (f1 + ..) + noise_err"):format(tab.delta or 0)
  list.u1 = "u1 = u + h sum alpha_i f_i" .. table.concat(noise)
  return list
end

-- ---- the step ----

--- to + factor * sum of one component; sum nil: none, to nil: 0.
local function add(to, factor, sum)
  if not sum then return to end
  return to and to + factor * sum or factor * sum
end

local function diffusion(k, system, u, t, constants)
  k.diffusion_evals = k.diffusion_evals + 1
  return system.diffusion(k, u, t, constants)
end

--- The iterated integrals that a step is made of, from its increments.
local function integrals(k, system, tab, h)
  local function named(v, text) return one_step.name(k, system, { v }, text)[1] end
  local dW, root = k:component("noise[0]", system.components[1]), named(value.sqrt(h), "root_h")
  local w = { dW = dW, root = root, chi1 = named((dW * dW - h) / (2 * root), "chi1"),
              chi3 = named((dW * dW / (6 * h) - 0.5) * dW, "chi3") }
  if tab.noise == 2 then
    local dZ = k:component("noise[1]", system.components[1])
    w.chi2 = named(0.5 * dW + dZ * k:const(0.5 / math.sqrt(3), "1 / (2 sqrt(3))"), "chi2")
  end
  return w
end

--- One step from u: k are the drift stages, z the arguments of both stages.
function rossler.step(k, system, tab, u, t, h, constants, f1)
  local w, text = integrals(k, system, tab, h), tab.text
  local step, g = { u = u, k = {}, z = { u } }, {}
  local function sum(of, weights, texts) return one_step.combine(k, system, nil, nil, weights, texts, of)[1] end
  local function argument(i, v, letter)
    if v[1].id ~= u[1].id then table.insert(step.z[i], one_step.name(k, system, v, letter .. i)[1]) end
    return v
  end
  for i = 1, tab.stages do
    step.z[i] = step.z[i] or {}
    if tab.drift[i] == i then
      local z = one_step.combine(k, system, u, h, tab.A0[i], text.A0[i], step.k, "h_a0_" .. i)
      z = argument(i, { add(z[1], w.chi2, sum(g, tab.B0[i], text.B0[i])) }, "z")
      step.k[i] = i == 1 and f1 or one_step.evaluate(k, system, z, t + k:const(tab.c0[i], text.c0[i]) * h, constants)
      one_step.name(k, system, step.k[i], "f" .. i)
    else
      step.k[i] = step.k[tab.drift[i]] or {}                          -- nothing wants it
    end
    if tab.diffusion[i] == i then
      local y = one_step.combine(k, system, u, h, tab.A1[i], text.A1[i], step.k, "h_a1_" .. i)
      y = argument(i, one_step.combine(k, system, y, w.root, tab.B1[i], text.B1[i], g, "root_b1_" .. i), "y")
      g[i] = one_step.name(k, system, diffusion(k, system, y, t + k:const(tab.c1[i], text.c1[i]) * h, constants), "g" .. i)
    else
      g[i] = g[tab.diffusion[i]] or {}
    end
  end
  local beta = {}
  for q, weights in ipairs(tab.beta) do beta[q] = sum(g, weights, text.beta[q]) end
  local noise_error = add(add(nil, w.chi2, beta[3]), w.chi3, beta[4])
  local u1 = one_step.combine(k, system, u, h, tab.alpha, text.alpha, step.k, "h_alpha")[1]
  u1 = add(add(u1, w.dW, beta[1]), w.chi1, beta[2])
  step.u1 = one_step.name(k, system, { noise_error and u1 + noise_error or u1 }, "u1")
  if tab.delta then
    local drift
    for i = 1, tab.stages do if tab.drift[i] == i then drift = drift and drift + step.k[i][1] or step.k[i][1] end end
    local e = tab.delta * (h * drift)
    step.err = { one_step.name(k, system, { noise_error and e + noise_error or e }, "err") }
  end
  return step
end

-- ---- kernels that see both derivatives, drift and diffusion ----

local kernels = {}

function kernels.rhs(k, system)
  local u = one_step.read_carry(k, system, { fsal = false }, "carry")
  local t, constants = k:scalar "t", one_step.read_constants(k, system)
  k:output("out[0]", one_step.evaluate(k, system, u, t, constants)[1])
  k:output("out[1]", diffusion(k, system, u, t, constants)[1])
end

local function read_start(k, system)
  local component = system.components[1]
  local u = k:component("carry[0]", component)
  return u, k:component("in[0]", component), k:component("in[1]", component), one_step.scale(k, component, value.abs(u))
end

local function put_norm(k, system, q, x) k:accumulate(("sums[%d]"):format(q), one_step.total(system.components[1], x * x)) end

--- Norms of the automatic first step: sum (u/sc)^2, and of the drift at the worse of three standard deviations.
function kernels.first(k, system)
  local u, f0, g0, scale = read_start(k, system)
  put_norm(k, system, 0, u / scale)
  put_norm(k, system, 1, (value.abs(f0) + 3 * value.abs(g0)) / scale)
end

function kernels.second(k, system)
  local u, f0, g0, scale = read_start(k, system)
  local h, constants = k:scalar "h", one_step.read_constants(k, system)
  local u1, t1 = { u + h * f0 }, k:scalar "t" + h
  local f1, g1 = one_step.evaluate(k, system, u1, t1, constants)[1], diffusion(k, system, u1, t1, constants)[1]
  put_norm(k, system, 0, (value.abs(f1 - f0) + 3 * (value.abs(g0) + value.abs(g1))) / scale)
end

return one_step.stepper(rossler, kernels)
