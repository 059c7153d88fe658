--- Solutions: every method comes within 100 tolerances of what is known, and gradients of Lotka-Volterra to their digits.

local check = require "check"
local problems = require "witness.problems"
local tableau = require "language.tableau"
local tool = require "witness.tool"
local vector = require "witness.vector"

local function check_ends(problem, method, tolerance)
  local times = {}
  for i, e in ipairs(problem.ends) do times[i] = e.t end
  local r = tool.solve(problem.model, { method = method, atol = tolerance, rtol = tolerance, params = problem.params,
                                        u0 = problem.u0, saveat = times, tspan = { 0, times[#times] } })
  for i, e in ipairs(problem.ends) do
    for j, x in ipairs(e.u) do check.near(r.u[i][j], x, 100 * tolerance * (1 + math.abs(x))) end
  end
end

for _, method in ipairs(tableau.names()) do
  local order = tableau.load(method).order
  for _, problem in ipairs(problems) do
    for _, tolerance in ipairs { 1e-6, 1e-9, order > 2 and 1e-12 or nil } do
      check.case(("%s, %s at %g"):format(problem.name, method, tolerance), function() check_ends(problem, method, tolerance) end)
    end
    for _, sensitivity in ipairs(problem.gradient and order > 2 and { "discrete", "interpolating" } or {}) do
      check.case(("%s, %s: the %s gradient"):format(problem.name, method, sensitivity), function()
        local r = tool.solve(problem.model, { method = method, sensitivity = sensitivity, gradient = "u[1]+u[2]", atol = 1e-10,
                                              rtol = 1e-10 })
        if os.getenv "SHOW" then print(method, sensitivity, vector.distance(r.grad_params, problem.gradient.params), vector.distance(r.grad_u0, problem.gradient.u0)) end
        check.below(vector.distance(r.grad_params, problem.gradient.params), 1e-8)
        check.below(vector.distance(r.grad_u0, problem.gradient.u0), 1e-8)
      end)
    end
  end
end

check.done()
