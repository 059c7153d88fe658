--- Solutions: every method comes within 100 tolerances of what is known, and gradients of Lotka-Volterra to their digits.

local check = require "check"
local explicit = require "witness.explicit"
local problems = require "witness.problems"
local runge_kutta = require "witness.runge_kutta"
local tableau = require "language.tableau"
local tool = require "witness.tool"
local vector = require "witness.vector"
local vocabulary = require "language.vocabulary"

local function check_ends(problem, tab, tolerance)
  local method, slack = tab.name, 100 * runge_kutta.slack(tab)
  local times = { 0 }
  for i, e in ipairs(problem.ends) do times[1 + i] = e.t end
  local r = tool.solve(problem.model, { method = method, atol = tolerance, rtol = tolerance, params = problem.params,
                                        u0 = problem.u0, saveat = times, tspan = { 0, times[#times] } })
  for i, e in ipairs(problem.ends) do
    for j, x in ipairs(e.u) do check.near(r.u[1 + i][j], x, slack * tolerance * (1 + math.abs(x))) end
  end
end

--- How far the gradient by u0 and parameters is from the known one, at tolerances of 1e-10.
local function gradient_error(problem, method, sensitivity)
  local r = tool.solve(problem.model, { method = method, sensitivity = sensitivity, gradient = "u[1]+u[2]", atol = 1e-10,
                                        rtol = 1e-10 })
  local known = problem.gradient
  return vector.distance(vector.join(r.grad_params, r.grad_u0), vector.join(known.params, known.u0))
end

--- What the gradient may miss.  Most continuous adjoints see the solution or lambda through dense output, whose error no step
--- control sees: that of rkf45, of order 3 over the steps of a method of order 5, is what remains.  The error of an Adams method,
--- which extrapolates, is a larger multiple of what it estimates.
local function gradient_limit(tab, sensitivity)
  if tab.past then return 2e-8 end
  return sensitivity ~= "discrete" and tab.dense.order < tab.order - 1 and 2e-7 or 1e-8
end

for _, method in ipairs(explicit) do
  local tab = tableau.load(method)
  local order = tab.order
  for _, problem in ipairs(tab.err and problems or {}) do
    for _, tolerance in ipairs { 1e-6, 1e-9, order > 2 and 1e-12 or nil } do
      check.case(("%s, %s at %g"):format(problem.name, method, tolerance), function() check_ends(problem, tab, tolerance) end)
    end
    for _, sensitivity in ipairs(problem.gradient and order > 2 and vocabulary.sensitivities:names() or {}) do
      check.case(("%s, %s: the %s gradient"):format(problem.name, method, sensitivity), function()
        check.below(gradient_error(problem, method, sensitivity), gradient_limit(tab, sensitivity))
      end)
    end
  end
end

check.done()
