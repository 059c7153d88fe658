--- Gradients of every method by every sensitivity algorithm, for dynamics that are a network, equations, or both.
--
-- The discrete adjoint differentiates the computed solution, its steps held.  Its witness takes the same steps by the
-- reference evaluator in complex arithmetic; a second one is a central difference of lrnde-solve itself on the mesh.

local check = require "check"
local dual = require "witness.dual"
local runge_kutta = require "witness.runge_kutta"
local system = require "witness.system"
local tableau = require "language.tableau"
local tool = require "witness.tool"
local vector = require "witness.vector"
local vocabulary = require "language.vocabulary"

tool.compiler = "tests/quick_cc.sh"

-- The continuous ones: those that have an adjoint system.
local adjoints = {}
for _, name in ipairs(vocabulary.sensitivities:names()) do
  if vocabulary.sensitivities:get(name).adjoint then adjoints[#adjoints + 1] = name end
end

local LOSS <const> = "u[1]^2 + 3*u[2]"

local function loss(u1, u2) return u1 * u1 + 3 * u2 end

--- The derivative of the loss at the end of the mesh by parameter i or, for i beyond them, by an entry of u0.
local function complex_step(s, mesh, p, u0, i)
  local f = s:field(vector.variable(p, i <= #p and i or nil))
  local steps = runge_kutta.integrate(s.tab, f, mesh, vector.variable(u0, i > #p and i - #p or nil))
  local u = steps[#steps].u1
  local function entry(j) return dual(u.re[j], u.im[j] / vector.tiny) end
  return loss(entry(1), entry(2)).slope
end

--- The gradient by parameters, then u0.
local function gradient_of(r) return vector.join(r.grad_params, r.grad_u0) end

--- The derivative of the loss along `direction` by a central difference of lrnde-solve on the mesh.
local function central_difference(model, options, direction)
  local function at(step)
    local moved = { params = {}, u0 = {} }
    for _, name in ipairs { "params", "u0" } do
      for i, x in ipairs(options[name]) do
        moved[name][i] = x + step * direction[name == "params" and i or #options.params + i]
      end
    end
    local u = tool.solve(model, { method = options.method, mesh = options.mesh, params = moved.params, u0 = moved.u0 }).u
    return loss(u[#u][1], u[#u][2])
  end
  local step = 1e-5
  return (at(step) - at(-step)) / (2 * step)
end

--- Sum of direction * gradient, and the largest entry of the gradient.
local function along(gradient, direction)
  local sum, largest = 0, 0
  for i, g in ipairs(gradient) do sum, largest = sum + g * direction[i], math.max(largest, math.abs(g)) end
  return sum, largest
end

local function check_discrete(model, method, tolerance)
  local s = system.load(model, { method = method })
  local p, u0 = s:parameters(), s.m.u0
  local r = tool.solve(model, { method = method, sensitivity = "discrete", gradient = LOSS, atol = tolerance, rtol = tolerance,
                                params = p, stats = true })
  local gradient, expected, direction = gradient_of(r), {}, {}
  for i = 1, #gradient do
    expected[i] = complex_step(s, r.mesh, p, u0, i)
    direction[i] = math.cos(i)
  end
  check.below(vector.distance(gradient, expected), 1e-9)

  local options = { method = method, mesh = r.mesh, params = p, u0 = u0 }
  local slope, largest = along(gradient, direction)
  check.near(central_difference(model, options, direction), slope, 1e-7 * largest)

  local again = tool.solve(model, { method = method, sensitivity = "discrete", gradient = LOSS, mesh = r.mesh, params = p })
  check.below(vector.distance(gradient_of(again), gradient), 1e-12)
end

--- A continuous adjoint comes as near to the discrete one as the tolerance: both tend to the solution's own gradient.  What no
-- step control sees is the error of dense output, in a step h^(order + 1): where that is of lower order than the method's, it
-- is what remains.  On problems as tame as these a loose tolerance gives better than it asks for, hence slopes below 1.
-- discrete: gradients by it, those that are known.
local function check_continuous(model, method, sensitivity, discrete)
  local s = system.load(model, { method = method })
  local tab, p, distances = s.tab, s:parameters(), {}
  local power = math.min(1, (tab.dense.order + 1) / tab.order)
  local tolerances = { 1e-4, tab.order < 3 and 1e-7 or 1e-10 }
  for i, tolerance in ipairs(tolerances) do
    local function gradient(by)
      return gradient_of(tool.solve(model, { method = method, sensitivity = by, gradient = LOSS, atol = tolerance,
                                             rtol = tolerance, params = p }))
    end
    discrete[i] = discrete[i] or gradient "discrete"
    distances[i] = vector.distance(gradient(sensitivity), discrete[i])
    check.below(distances[i], 30 * runge_kutta.slack(tab) * tolerance ^ power)
  end
  local slope = math.log(distances[1] / distances[2]) / math.log(tolerances[1] / tolerances[2])
  print(("  %-14s %-13s %-14s slope %.2f"):format(sensitivity, method, model:match "[%w_]+%.lua$", slope))
  local summed = runge_kutta.slack(tab) > 1 and tab.order / (tab.order + 1) or 1      -- errors that add up: tolerance^summed
  check.below(0.5 * summed, slope)
end

local MODELS <const> = { "network", "equations", "mixed" }

--- Calls visit(method, model) for every method that adapts its steps; says of the others where they are.
local function each(visit)
  local elsewhere = {}
  for _, method in ipairs(tableau.names()) do
    local tab = tableau.load(method)
    local where = tab.noise and "tests/test_stochastic_gradient.c" or not tab.err and "tests/numeric/fixed.lua"
    if where then elsewhere[#elsewhere + 1] = ("%s (%s)"):format(method, where) end
    for i = tab.family == "rosenbrock" and #MODELS or 1, where and 0 or #MODELS do visit(method, MODELS[i]) end
  end
  print("  not here: " .. table.concat(elsewhere, ", "))
end

each(function(method, name)
  local model = ("tests/numeric/models/%s.lua"):format(name)
  for _, tolerance in ipairs { 1e-3, 1e-6 } do
    check.case(("%s, %s: the discrete gradient at %g"):format(name, method, tolerance), function()
      check_discrete(model, method, tolerance)
    end)
  end
  local discrete = {}
  for _, sensitivity in ipairs(adjoints) do
    check.case(("%s, %s: the %s gradient converges"):format(name, method, sensitivity), function()
      check_continuous(model, method, sensitivity, discrete)
    end)
  end
end)

check.done()
