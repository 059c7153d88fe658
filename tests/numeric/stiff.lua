--- Stiff problems by the methods for them: step sequences, reference values, gradients, and what a mesh shows of the order.
--
-- References: Hairer & Wanner's problems by Radau IIA of 5 and 7 stages, in agreement to 20 digits.  Steps of Robertson's
-- problem: an implementation of its own, of the same controller in double precision.

local check = require "check"
local dual = require "witness.dual"
local runge_kutta = require "witness.runge_kutta"
local system = require "witness.system"
local tableau = require "language.tableau"
local tool = require "witness.tool"
local vector = require "witness.vector"

tool.compiler = "tests/quick_cc.sh"

local ROBERTSON <const> = "models/robertson.lua"

-- method, then accepted steps to 1e5 and to 1e11 with atol = rtol = 1e-6 and 1e-9
local STEPS <const> = {
  rodas5 = { { 97, 255 }, { 149, 377 } },
  rodas5p = { { 95, 278 }, { 157, 437 } },
  rodas4 = { { 152, 670 }, { 209, 882 } },
}

-- Robertson's concentrations
local ENDS <const> = {
  { 1e5, { 0.017865921142099464965, 7.2747514684363187708e-8, 0.98213400611038585067 } },
  { 1e11, { 2.0833401497012942306e-8, 8.3333607703347834006e-14, 0.99999997916651516938 } },
}

local PROBLEMS <const> = {
  { "kaps", 1, { math.exp(-2), math.exp(-1) } },
  { "prothero_robinson", 1, { math.sin(1) } },
  { "hires", 321.8122, {
    7.3713125733256678073e-4, 1.4424857263161846582e-4, 5.8887297409675750075e-5, 1.1756513432831491455e-3,
    2.3863561988313304688e-3, 6.2389682527427957866e-3, 2.8499983951857686579e-3, 2.8500016048142313421e-3 } },
  { "oregonator", 360, { 1.0008148703185227163, 1228.1785215498879837, 132.05549428465082877 } },
  { "relaxation", 2, { 1.7061677321704650072, -0.89280970102481654919 } },
}

local function model_of(name) return ("tests/numeric/models/%s.lua"):format(name) end

local methods = {}
for _, method in ipairs(tableau.names()) do
  local tab = tableau.load(method)
  if tab.family == "rosenbrock" then methods[#methods + 1] = tab end
end

for method, counts in pairs(STEPS) do
  check.case(method .. ": steps of Robertson's problem", function()
    for i, t1 in ipairs { 1e5, 1e11 } do
      for j, tolerance in ipairs { 1e-6, 1e-9 } do
        local r = tool.solve(ROBERTSON, { method = method, atol = tolerance, rtol = tolerance, tspan = { 0, t1 } })
        check.near(r.accepted, counts[i][j], 1)
      end
    end
  end)
end

for _, tab in ipairs(methods) do
  local slack = runge_kutta.slack(tab)

  check.case(tab.name .. ": Robertson's concentrations, each with a tolerance of its own", function()
    -- To start with 1e-14 a method of order 2 takes steps that doubles near 1e11 cannot tell from none.
    for i = 1, tab.order > 2 and #ENDS or 1 do
      local t1, expected = table.unpack(ENDS[i])
      local u = tool.solve(ROBERTSON, { method = tab.name, set = { "solver.atol={1e-8,1e-14,1e-6}" }, rtol = 1e-6,
                                        tspan = { 0, t1 } }).u[1]
      for j, x in ipairs(expected) do check.near(u[j], x, 1e-4 * slack * x) end
    end
  end)

  for _, problem in ipairs(PROBLEMS) do
    local name, t1, expected = table.unpack(problem)
    check.case(("%s: %s to 100 tolerances"):format(tab.name, name), function()
      for _, tolerance in ipairs { 1e-4, 1e-7 } do
        local u = tool.solve(model_of(name), { method = tab.name, atol = tolerance, rtol = tolerance, tspan = { 0, t1 } }).u[1]
        for i, x in ipairs(expected) do check.near(u[i], x, 100 * slack * tolerance * (1 + math.abs(x))) end
      end
    end)
  end

  check.case(tab.name .. ": the gradient of Robertson's concentrations against the complex step", function()
    local s = system.load(ROBERTSON, { method = tab.name })
    local p, u0 = s:parameters(), s.m.u0
    local r = tool.solve(ROBERTSON, { method = tab.name, atol = 1e-4, rtol = 1e-4, tspan = { 0, 40 }, gradient = "u[1]+3*u[3]",
                                      sensitivity = "discrete", stats = true })
    local gradient, expected = vector.join(r.grad_params, r.grad_u0), {}
    for i = 1, #gradient do
      local steps = runge_kutta.integrate(tab, s:field(vector.variable(p, i <= #p and i or nil)), r.mesh,
                                          vector.variable(u0, i > #p and i - #p or nil))
      local u = steps[#steps].u1
      expected[i] = dual(u.re[1], u.im[1] / vector.tiny).slope + 3 * u.im[3] / vector.tiny
    end
    for i, x in ipairs(expected) do check.near(gradient[i], x, 1e-6 * math.abs(x)) end
  end)

  check.case(tab.name .. ": a stiff adjoint system gives the gradient of the discrete adjoint", function()
    local function gradient(sensitivity)
      return tool.solve(model_of "kaps", { method = tab.name, atol = 1e-7, rtol = 1e-7, gradient = "u[2]", params = { 1e3 },
                                           sensitivity = sensitivity }).grad_u0
    end
    check.below(vector.distance(gradient "interpolating", gradient "discrete"), 1e-5 * slack)
  end)
end

--- The gradient of a loss at the end, by parameters and u0.
local function gradient(options)
  options.gradient = "u[1]^2 + 3*u[2]"
  local r = tool.solve(model_of "equations", options)
  return vector.join(r.grad_params, r.grad_u0)
end

-- An inexact Jacobian would cost order.  That of u and lambda together has second derivatives of f.
check.case("solving u back keeps the order", function()
  local exact = gradient { method = "dop853", sensitivity = "discrete", atol = 1e-13, rtol = 1e-13 }
  for _, tab in ipairs(methods) do
    local errors = {}
    for i, h in ipairs { 0.1, 0.05 } do
      errors[i] = vector.distance(gradient { method = tab.name, sensitivity = "backsolve", h = h }, exact)
    end
    local order = math.log(errors[1] / errors[2], 2)
    print(("  backsolve, %-12s order %.2f"):format(tab.name, order))
    check.near(order, tab.order, 0.3)
  end
end)

check.case("a network of 40 features, whose Jacobian is dense and large: as an explicit method has it", function()
  local function solve(method)
    return tool.solve(model_of "wide_network", { method = method, atol = 1e-8, rtol = 1e-8, gradient = "u[1]+2*u[40]",
                                                 sensitivity = "discrete" })
  end
  local ours, theirs = solve "rodas4", solve "dp5"
  check.below(vector.distance(ours.u[1], theirs.u[1]), 1e-6)
  check.below(vector.distance(ours.grad_u0, theirs.grad_u0), 1e-6)
  check.below(vector.distance(ours.grad_params, theirs.grad_params), 1e-6)
end)

check.done()
