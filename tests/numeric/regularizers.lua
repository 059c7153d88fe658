--- Gradients of the regularizers: the local step of lrnde-solve --local-step against the same step by the reference
--- evaluator, differentiated by the complex step and, as a second witness, by differences over six points.
--
-- What a gradient holds: t and h always.  "partial" u(t) besides, and those of steps before that a method remembers; "truncated"
-- k1 too; "total" differentiates the whole discrete solution up to t and holds its mesh only.  A method that remembers has no "truncated".

local check = require "check"
local explicit = require "witness.explicit"
local runge_kutta = require "witness.runge_kutta"
local system = require "witness.system"
local tableau = require "language.tableau"
local tool = require "witness.tool"
local vector = require "witness.vector"

tool.compiler = "tests/quick_cc.sh"

local TOLERANCE <const> = { atol = 1e-3, rtol = 1e-3 }
local T <const> = 0.7
local ROUNDING <const> = 1e-12                  -- of E: a few units in the last place of u, in tolerances

--- What the local step of report r begins with, by field f: everything that some gradient holds.
local function start(s, r, f)
  local steps = runge_kutta.integrate(s.tab, f, r.mesh, vector.constant(s.m.u0))
  local u, step = runge_kutta.at(s.tab, f, steps, r.t), runge_kutta.containing(steps, r.t)
  return { u = u, k1 = f(r.t, u), past = r.t == step.t and step.past or nil }
end

--- The regularizer R of report r, as a function of parameters p: a dual number, and the solver's E as a number.
local function local_step(s, r, o, held)
  return function(p)
    local f = s:field(p)
    local from, k1 = o.gradient == "total" and start(s, r, f) or held, o.gradient == "truncated" and held.k1 or nil
    local step = runge_kutta.step(s.tab, f, r.t, r.h, from.u, k1, from.past)
    local E = runge_kutta.error(s.tab, step, TOLERANCE)
    local error = (o.scale == "none" and runge_kutta.error(s.tab, step, nil) or E) * r.h
    if o.estimate == "error" then return error, E.value end
    local S = runge_kutta.stiffness(s.tab, step)
    return o.estimate == "both" and error + S or S, E.value, error.value, S.value
  end
end

--- The derivative along `direction` by the six points at 1, 2 and 3 steps on both sides.
local function six_points(value, p, direction)
  local step, sum = 1e-4, 0
  for n, weight in ipairs { 45, -9, 1 } do
    for _, sign in ipairs { 1, -1 } do
      local moved = {}
      for i, x in ipairs(p) do moved[i] = x + sign * n * step * direction[i] end
      sum = sum + sign * weight * value(vector.constant(moved)).value
    end
  end
  return sum / (60 * step)
end

local function check_gradient(model, method, o)
  local words, both = {}, o.estimate == "both"
  for key, word in pairs(o) do if not (both and key == "estimate") then words[#words + 1] = ("%s=%q"):format(key, word) end end
  if both then words[#words + 1] = '{estimate="error"},{estimate="stiffness"}' end
  local set = { ("regularize={%s}"):format(table.concat(words, ",")) }
  local s = system.load(model, { method = method, set = set })
  local p = s:parameters()
  local r = tool.solve(model, { method = method, set = set, params = p, atol = TOLERANCE.atol, rtol = TOLERANCE.rtol,
                                ["local-step"] = T, stats = true })
  local mesh_step = runge_kutta.containing(runge_kutta.integrate(s.tab, s:field(vector.constant(p)), r.mesh,
                                                                 vector.constant(s.m.u0)), T)
  check.equal(r.t, o.step_size == "automatic" and T or mesh_step.t)
  if o.step_size == "accepted" then check.near(r.h, mesh_step.h, 1e-15) end

  local value = local_step(s, r, o, start(s, r, s:field(vector.constant(p))))
  local expected, direction, along, largest = {}, {}, 0, 0
  for i = 1, #p do
    expected[i] = value(vector.variable(p, i)).slope
    direction[i] = math.cos(i) / #p
    along, largest = along + expected[i] * direction[i], math.max(largest, math.abs(expected[i]))
  end
  local R, E, error, S = value(vector.constant(p))
  check.near(r.reg, R.value, 1e-10 * R.value + ROUNDING)
  check.near(r.E, E, 1e-10 * E + ROUNDING)
  if both then check.near(r.reg_error, error, 1e-10 * error + ROUNDING) end
  if S then check.near(r.reg_stiffness, S, 1e-10 * S) end
  check.below(vector.distance(r.grad_params, expected), 1e-7)
  check.near(six_points(value, p, direction), along, 1e-4 * largest)
end

local function case(name, method, o)
  local model = ("tests/numeric/models/%s.lua"):format(name)
  local remembers = tableau.load(method).past and o.step_size ~= "automatic"
  for _, gradient in ipairs(remembers and { "partial", "total" } or { "truncated", "partial", "total" }) do
    local all = { gradient = gradient, estimate = o.estimate or "error", step_size = o.step_size or "accepted", scale = o.scale }
    check.case(("%s, %s: %s %s of the %s step"):format(name, method, gradient, all.estimate, all.step_size), function()
      check_gradient(model, method, all)
    end)
  end
end

for _, method in ipairs(explicit) do
  local tab = tableau.load(method)
  if tab.err then case("mixed", method, {}) end
  if tab.err and tab.stiffness_pair then case("equations", method, { estimate = "stiffness" }) end
end
case("equations", "tsit5", { step_size = "automatic" })
case("equations", "dp5", { step_size = "automatic", estimate = "stiffness" })
case("equations", "vcab3", { step_size = "automatic" })                                 -- the step it would begin with
case("mixed", "tsit5", { estimate = "both" })
case("network", "bs3", { scale = "none" })

check.done()
