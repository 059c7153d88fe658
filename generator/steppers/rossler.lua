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
-- the ends of a step u is interpolated linearly.

local kernel = require "kernel"
local one_step = require "one_step"
local value = require "language.value"

local rossler = { family = "rossler", aliases = { "sri", "sra" },
                  doc = "stochastic Runge-Kutta for diagonal Ito noise (SRI) or additive noise (SRA); Euler-Maruyama" }

for _, shared in ipairs { "read_constants", "put_sums", "finish", "total", "scale" } do rossler[shared] = one_step[shared] end

function rossler.carry_components(system) return system.components end

function rossler.read_carry(k, system, _, field) return { k:component(field .. "[0]", system.components[1]) } end

--- No stage is kept beside the ends of a step.
function rossler.interior() return {} end

--- Where a record has what a step computed: { [id of a value] = field }.
function rossler.recorded(_, _, step) return { [step.u1[1].id] = "next_in[0]" } end

--- Linear interpolation wants no further stage.
function rossler.extra_stages() end

-- ---- formulas ----

local function weighted(weights, texts, symbol, of)
  local terms = {}
  for j, w in ipairs(weights) do
    if w ~= 0 then terms[#terms + 1] = ("%s %s%d"):format(one_step.coefficient(texts[j], symbol .. j), of, j) end
  end
  return #terms > 0 and "(" .. table.concat(terms, " + "):gsub("%+ %-", "- ") .. ")"
end

--- "u + h (..) + chi2 (..)" from { factor, weighted }..; what is empty is left out.
local function plus(...)
  local text = "u"
  for _, part in ipairs { ... } do if part[2] then text = ("%s + %s %s"):format(text, part[1], part[2]) end end
  return text
end

local function time(c, text, symbol)
  return c == 0 and "t" or c == 1 and "t + h" or ("t + %s h"):format(one_step.coefficient(text, symbol))
end

--- What a step computes, for the reader of the emitted text: { [name of a value] = formula }.
function rossler.formulas(tab)
  local list, text = {}, tab.text
  for i = 1, tab.stages do
    local z = plus({ "h", weighted(tab.A0[i], text.A0[i], ("a0_%d_"):format(i), "f") },
                   { "chi2", weighted(tab.B0[i], text.B0[i], ("b0_%d_"):format(i), "g") })
    local y = plus({ "h", weighted(tab.A1[i], text.A1[i], ("a1_%d_"):format(i), "f") },
                   { "sqrt(h)", weighted(tab.B1[i], text.B1[i], ("b1_%d_"):format(i), "g") })
    list["z" .. i], list["y" .. i] = ("z%d = %s"):format(i, z), ("y%d = %s"):format(i, y)
    list["f" .. i] = ("f%d = f(%s, %s)"):format(i, time(tab.c0[i], text.c0[i], "c0_" .. i), z == "u" and z or "z" .. i)
    list["g" .. i] = ("g%d = g(%s, %s)"):format(i, time(tab.c1[i], text.c1[i], "c1_" .. i), y == "u" and y or "y" .. i)
  end
  local beta = {}
  for q, weights in ipairs(tab.beta) do beta[q] = weighted(weights, text.beta[q], "", "g") and ("sum beta%d_i g_i"):format(q) end
  list.chi1 = "chi1 = I(1,1) / sqrt(h) = (dW^2 - h) / (2 sqrt(h))"
  list.chi2 = "chi2 = I(1,0) / h = (dW + dZ / sqrt(3)) / 2"
  list.chi3 = "chi3 = I(1,1,1) / h = (dW^3 - 3 h dW) / (6 h)"
  list.err = ("err = %s h (f1 + ..) + noise_err"):format(tab.delta or 0)
  list.u1 = "u1 = " .. plus({ "h", "sum alpha_i f_i" }, { "dW", beta[1] }, { "chi1", beta[2] }, { "chi2", beta[3] },
                            { "chi3", beta[4] })
  return list
end

-- ---- the step ----

--- to + factor sum_j weights[j] stages[j]; zero weights are left out; factor nil: 1; to nil: the sum alone, nil if it is empty.
-- row: what factor times a weight is called.
local function combine(k, to, factor, weights, texts, stages, row)
  local sum
  for j, w in ipairs(weights) do
    if w ~= 0 then
      local weight = k:const(w, texts[j])
      if factor then
        weight = factor * weight
        k.graph:name(weight.id, ("%s_%d"):format(row, j))
      end
      local term = weight * stages[j]
      sum = sum and sum + term or term
    end
  end
  if not sum then return to end
  return to and to + sum or sum
end

--- to + factor * sum, factor per sample.
local function add(to, factor, sum)
  if not sum then return to end
  return to and to + factor * sum or factor * sum
end

local function name(k, v, text)
  if value.info(v).op ~= "input" then k.graph:name(v.id, text) end
  return v
end

local function drift(k, system, u, t, constants)
  k.rhs_evals = k.rhs_evals + 1
  return system.rhs(k, { u }, t, constants)[1]
end

local function diffusion(k, system, u, t, constants)
  k.diffusion_evals = k.diffusion_evals + 1
  return system.diffusion(k, { u }, t, constants)[1]
end

--- The iterated integrals that a step is made of, from its increments.
local function integrals(k, system, tab, h)
  local dW = k:component("noise[0]", system.components[1])
  local root = value.sqrt(h)
  k.graph:name(root.id, "root_h")
  local w = { dW = dW, root = root, chi1 = name(k, (dW * dW - h) / (2 * root), "chi1"),
              chi3 = name(k, (dW * dW / (6 * h) - 0.5) * dW, "chi3") }
  if tab.noise == 2 then
    local dZ = k:component("noise[1]", system.components[1])
    w.chi2 = name(k, 0.5 * dW + dZ * k:const(0.5 / math.sqrt(3), "1 / (2 sqrt(3))"), "chi2")
  end
  return w
end

--- One step from u: drift stages k, arguments of stages z, the new state u1, the two parts of the error.  f1, the first drift
-- stage, may be given (frozen).  Entries are lists over the one component.
function rossler.step(k, system, tab, u, t, h, constants, f1)
  local w, text, u0 = integrals(k, system, tab, h), tab.text, u[1]
  local step, f, g = { u = u, k = {}, z = { u } }, {}, {}
  for i = 1, tab.stages do
    step.z[i] = step.z[i] or {}
    local function argument(v, letter)
      if v.id ~= u0.id then table.insert(step.z[i], name(k, v, letter .. i)) end
      return v
    end
    if tab.drift[i] == i then
      local z = combine(k, u0, h, tab.A0[i], text.A0[i], f, "h_a0_" .. i)
      z = argument(add(z, w.chi2, combine(k, nil, nil, tab.B0[i], text.B0[i], g)), "z")
      f[i] = i == 1 and f1 and f1[1] or name(k, drift(k, system, z, t + k:const(tab.c0[i], text.c0[i]) * h, constants), "f" .. i)
    else
      f[i] = f[tab.drift[i]]
    end
    if tab.diffusion[i] == i then
      local y = combine(k, u0, h, tab.A1[i], text.A1[i], f, "h_a1_" .. i)
      y = argument(combine(k, y, w.root, tab.B1[i], text.B1[i], g, "root_b1_" .. i), "y")
      g[i] = name(k, diffusion(k, system, y, t + k:const(tab.c1[i], text.c1[i]) * h, constants), "g" .. i)
    else
      g[i] = g[tab.diffusion[i]]
    end
    step.k[i] = { f[i] }
  end
  local sums = {}
  for q, weights in ipairs(tab.beta) do sums[q] = combine(k, nil, nil, weights, text.beta[q], g) end
  step.noise_error = add(add(nil, w.chi2, sums[3]), w.chi3, sums[4])
  local u1 = add(add(combine(k, u0, h, tab.alpha, text.alpha, f, "h_alpha"), w.dW, sums[1]), w.chi1, sums[2])
  step.u1 = { name(k, step.noise_error and u1 + step.noise_error or u1, "u1") }
  for i = 1, tab.stages do
    if tab.drift[i] == i then step.drift_error = step.drift_error and step.drift_error + f[i] or f[i] end
  end
  step.drift_error = h * step.drift_error
  return step
end

--- The error sum of a step.
function rossler.error_sums(k, system, tab, step, _, scaled)
  local e = tab.delta * step.drift_error
  e = name(k, step.noise_error and e + step.noise_error or e, "err")
  if scaled then
    e = e / one_step.scale(k, system.components[1], value.max(value.abs(step.u[1]), value.abs(step.u1[1])))
  end
  return { { value.batch_sum(value.sum(e * e)) } }
end

--- The step from the carry.
function rossler.carried_step(k, system, tab)
  local carry = rossler.read_carry(k, system, tab, "carry")
  local step = rossler.step(k, system, tab, carry, k:scalar "t", k:scalar "h", rossler.read_constants(k, system))
  step.carry, step.next = carry, step.u1
  return step
end

--- Without an error estimate the one sum of a step, sum u1^2, says whether u1 is finite.
function rossler.put_step(k, system, tab, step)
  k:output("next[0]", step.u1[1])
  rossler.put_sums(k, tab.err and rossler.error_sums(k, system, tab, step, nil, true)
                      or { { value.batch_sum(value.sum(step.u1[1] * step.u1[1])) } })
end

-- ---- the kernels ----

local kernels = {}

function kernels.step(k, system, tab) rossler.put_step(k, system, tab, rossler.carried_step(k, system, tab)) end

function kernels.rhs(k, system)
  local u, t, constants = rossler.read_carry(k, system, nil, "carry")[1], k:scalar "t", rossler.read_constants(k, system)
  k:output("out[0]", drift(k, system, u, t, constants))
  k:output("out[1]", diffusion(k, system, u, t, constants))
end

local function read_start(k, system)
  local component = system.components[1]
  local u = k:component("carry[0]", component)
  return u, k:component("in[0]", component), k:component("in[1]", component),
         one_step.scale(k, component, value.abs(u))
end

--- Norms of the automatic first step: sum (u/sc)^2, and of the drift at the worse of three standard deviations.
function kernels.first(k, system)
  local u, f0, g0, scale = read_start(k, system)
  for q, x in ipairs { u / scale, (value.abs(f0) + 3 * value.abs(g0)) / scale } do
    k:accumulate(("sums[%d]"):format(q - 1), value.batch_sum(value.sum(x * x)))
  end
end

function kernels.second(k, system)
  local u, f0, g0, scale = read_start(k, system)
  local h, constants = k:scalar "h", rossler.read_constants(k, system)
  local u1, t1 = u + h * f0, k:scalar "t" + h
  local f1, g1 = drift(k, system, u1, t1, constants), diffusion(k, system, u1, t1, constants)
  local x = (value.abs(f1 - f0) + 3 * (value.abs(g0) + value.abs(g1))) / scale
  k:accumulate("sums[0]", value.batch_sum(value.sum(x * x)))
end

function kernels.extra() return false end

function kernels.dense(k, system)
  local component, theta = system.components[1], k:scalar "theta"
  local u, u1 = k:component("carry[0]", component), k:component("next_in[0]", component)
  k:output("out[0]", u + theta * (u1 - u))
end

function kernels.rev_dense(k, system)
  local cot, theta = k:component("in[0]", system.components[1]), k:scalar "theta"
  k:output("cot_carry[0]", (1 - theta) * cot)
  k:output("out[0]", theta * cot)
end

--- Builds kernel `name` of a system, in k if it is given; nil if the method has none.
function rossler.kernel(kernel_name, system, tab, params, k)
  k = k or kernel.new(kernel_name, params)
  if kernels[kernel_name](k, system, tab) == false then return nil end
  return k
end

return rossler
