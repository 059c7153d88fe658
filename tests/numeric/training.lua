--- One training step, end to end: samples with constants of their own, a loss at several times, a local regularizer.
--
-- Without momentum the optimizer's slot is -lr times the gradient of loss + w_reg reg, and lr is a power of 2.  The witness solves
-- anew, with its own step control, and differentiates by the complex step, holding what the regularizer holds.

local adaptive = require "witness.adaptive"
local check = require "check"
local one_step = require "witness.one_step"
local runge_kutta = require "witness.runge_kutta"
local system = require "witness.system"
local tool = require "witness.tool"
local vector = require "witness.vector"

tool.compiler = "tests/quick_cc.sh"

local MODEL <const> = "tests/numeric/models/fitted.lua"
local TOLERANCE <const> = { atol = 1e-3, rtol = 1e-3 }
local MESH <const> = 1e-9                       -- step sizes made anew agree to this: they come from errors near rounding

--- What makes an estimate weigh as much as the loss, or a gradient that lacks its part would pass.
local function coefficient(o, estimate)
  if estimate == "stiffness" then return 10 end
  return o.step_size == "automatic" and 1e7 or 1e4
end

--- A regularizer of estimates, "error" unless it names others, as a model file says it.
local function text_of(o)
  local words = {}
  for _, key in ipairs { "gradient", "sampling", "step_size" } do words[#words + 1] = ("%s=%q"):format(key, o[key]) end
  for _, estimate in ipairs(o.estimates) do
    words[#words + 1] = ("{estimate=%q,coefficient=%g}"):format(estimate, coefficient(o, estimate))
  end
  return ("regularize={%s}"):format(table.concat(words, ","))
end

--- The data: times, and at each the inputs of all samples, as MODEL names them.
local function read_data()
  local times, data, samples = {}, {}, {}
  for line in io.lines "tests/numeric/models/fitted.csv" do
    local run, t, x, y, a, b, g = line:match "^(%a+),([^,]+),([^,]+),([^,]+),([^,]+),([^,]+),([^,]+)$"
    if run ~= "run" then
      samples[run] = samples[run] and samples[run] + 1 or 1
      local k = samples[run]
      times[k], data[k] = tonumber(t), data[k] or { u = {}, drive = {}, gain = {} }
      for name, list in pairs { u = { x, y }, drive = { a, b }, gain = { g } } do
        for _, text in ipairs(list) do table.insert(data[k][name], tonumber(text)) end
      end
    end
  end
  return times, data
end

--- What regularizer o adds to the loss at t_reg of a solution by `steps`: a dual number.  held: f and steps at real parameters.
local function regularizer(s, o, t_reg, t1, f, steps, held)
  local step = runge_kutta.containing(held.steps, t_reg + MESH)
  local t, h = step.t, step.h
  if o.step_size == "automatic" then
    t = t_reg
    h = adaptive.first_step(s.tab, held.f, t, t1, runge_kutta.at(s.tab, held.f, held.steps, t), TOLERANCE)
  end
  local total = o.gradient == "total"
  local u = runge_kutta.at(s.tab, total and f or held.f, total and steps or held.steps, t)
  local k1 = o.gradient == "truncated" and held.f(t, u) or nil
  local trial = runge_kutta.step(s.tab, f, t, h, u, k1, o.step_size == "accepted" and step.past or nil)
  local sum = 0
  for _, estimate in ipairs(o.estimates) do
    local R = estimate == "stiffness" and runge_kutta.stiffness(s.tab, trial) or runge_kutta.error(s.tab, trial, TOLERANCE) * h
    sum = sum + coefficient(o, estimate) * R
  end
  return sum
end

--- The loss and, with a regularizer, its value at parameters p: dual numbers.
local function evaluate(s, mesh, p, o, log, held)
  local times, data = read_data()
  local u0, constants = s:start(p, data[1])
  local f = s:field(p, constants)
  local steps = runge_kutta.integrate(s.tab, f, mesh, u0)
  local us = {}
  for i, t in ipairs(times) do us[i] = runge_kutta.at(s.tab, f, steps, t) end
  return s:loss(p, us, times, data), o and regularizer(s, o, log.t_reg, mesh[#mesh], f, steps, held or { f = f, steps = steps }),
         { f = f, steps = steps }
end

--- Which local steps contain a save time: the sweep reverses those apart from its own step.
local seen = {}

local function check_step(method, o, seed)
  local set = { "method=" .. method, o and text_of(o) }
  local s = system.load(MODEL, { set = set })
  local log, p, gradient = one_step(s, MODEL, "tests/numeric/models", set, seed)
  local times, data = read_data()
  local constant = vector.constant(p)
  local u0, constants = s:start(constant, data[1])
  local mesh, rejected = adaptive.mesh(s.tab, s:field(constant, constants), times[1], times[#times], u0, TOLERANCE)
  check.equal({ log.accepted, log.rejected }, { #mesh - 1, rejected })

  local loss, reg, held = evaluate(s, mesh, constant, o, log)
  check.near(log.loss, loss.value, 1e-12)
  if o then
    local weights = 0
    for _, estimate in ipairs(o.estimates) do weights = weights + coefficient(o, estimate) end
    check.near(log.w_reg, weights, 1e-15 * weights)
    check.near(log.reg, reg.value / weights, 1e-9 * reg.value / weights + 1e-12)
    check.equal(log.t_reg > times[1] and log.t_reg < times[#times], true)
    local step, contains = runge_kutta.containing(held.steps, log.t_reg + MESH), false
    for _, t in ipairs(times) do contains = contains or (step.t < t and t < step.t + step.h) end
    if o.sampling == "biased" and o.step_size == "accepted" then seen[contains] = true end
    if o.sampling == "biased" then check.near(log.t_reg, step.t, MESH) end
  end
  local expected = {}
  for i = 1, #p do
    local l, r = evaluate(s, mesh, vector.variable(p, i), o, log, held)
    expected[i] = l.slope + (r and r.slope or 0)
  end
  check.below(vector.distance(gradient, expected), 1e-7)
end

for _, method in ipairs { "bs3", "vern7", "heun21", "vcab3" } do
  check.case(("a loss at several times, %s"):format(method), function() check_step(method) end)
end
for _, gradient in ipairs { "truncated", "partial", "total" } do
  for _, sampling in ipairs { "unbiased", "biased" } do
    for _, step_size in ipairs { "accepted", "automatic" } do
      check.case(("tsit5: %s, %s, %s"):format(gradient, sampling, step_size), function()
        check_step("tsit5", { gradient = gradient, sampling = sampling, step_size = step_size, estimates = { "error" } })
      end)
    end
  end
  check.case(("tsit5: %s error and stiffness"):format(gradient), function()
    check_step("tsit5", { gradient = gradient, sampling = "biased", step_size = "accepted", estimates = { "error", "stiffness" } })
  end)
  check.case(("dp5: %s stiffness"):format(gradient), function()
    check_step("dp5", { gradient = gradient, sampling = "unbiased", step_size = "accepted", estimates = { "stiffness" } })
  end)
end

-- Methods that carry k1 and methods that do not, local steps with and without a save time inside.
for _, method in ipairs { "bs3", "dp5", "heun21", "rkf45" } do
  for _, gradient in ipairs { "truncated", "partial", "total" } do
    check.case(("%s: %s, drawn four times"):format(method, gradient), function()
      local o = { gradient = gradient, sampling = "biased", step_size = "accepted", estimates = { "error" } }
      for seed = 1, 4 do check_step(method, o, seed) end
    end)
  end
end
check.case("vcab3: partial, drawn eight times, from first steps and from others", function()
  local o = { gradient = "partial", sampling = "biased", step_size = "accepted", estimates = { "error" } }
  for seed = 1, 8 do check_step("vcab3", o, seed) end
end)
check.case("save times inside a local step, and none", function() check.equal(seen, { [true] = true, [false] = true }) end)

check.done()
