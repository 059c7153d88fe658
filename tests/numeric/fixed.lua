--- Fixed steps, of methods with and without an error estimate: the mesh they make, what they cost, their gradients.

local check = require "check"
local dual = require "witness.dual"
local explicit = require "witness.explicit"
local runge_kutta = require "witness.runge_kutta"
local system = require "witness.system"
local tableau = require "language.tableau"
local tool = require "witness.tool"
local vector = require "witness.vector"

tool.compiler = "tests/quick_cc.sh"

local MODEL <const> = "tests/numeric/models/equations.lua"     -- from 0 to 1.5
local H <const> = 0.2                                          -- seven whole steps and a half

local function options(method, more)
  local o = { method = method, h = H }
  for key, value in pairs(more or {}) do o[key] = value end
  return o
end

--- Evaluations of a solve of n fixed steps.  An Adams step has one, at its end, after as many first steps as it remembers.
local function cost(tab, n)
  if tab.start then return cost(tab.start, tab.past) + n - tab.past end
  local first = tab.fsal and 1 or 0
  return n * (tab.stages - first) + first
end

--- The gradient of x(end) by the parameters along the mesh, by the complex step.
local function complex_step(s, mesh, p)
  local gradient = {}
  for i = 1, #p do
    local steps = runge_kutta.integrate(s.tab, s:field(vector.variable(p, i)), mesh, vector.constant(s.m.u0))
    local u = steps[#steps].u1
    gradient[i] = dual(u.re[1], u.im[1] / vector.tiny).slope
  end
  return gradient
end

--- How far the gradients of the discrete and the continuous adjoint are from each other with steps of h.
local function disagreement(method, h)
  local function gradient(sensitivity)
    return tool.solve(MODEL, { method = method, sensitivity = sensitivity, gradient = "x", h = h }).grad_params
  end
  return vector.distance(gradient "interpolating", gradient "discrete")
end

for _, method in ipairs(explicit) do
  local tab = tableau.load(method)

  check.case(method .. ": steps of h, the last one shorter", function()
    local r = tool.solve(MODEL, options(method, { stats = true, gradient = "x", sensitivity = "discrete" }))
    check.equal(#r.mesh, 9)
    for i = 1, 8 do check.equal(r.mesh[i], (i - 1) * H) end
    check.equal(r.mesh[9], 1.5)
    check.equal(r.accepted, 8)
    check.equal(r.rejected, 0)
    check.equal(r.nfe, cost(tab, 8))
    check.equal(tool.solve(MODEL, { method = method, mesh = r.mesh }).u[9], r.u[1])

    local s = system.load(MODEL, { method = method })
    check.below(vector.distance(r.grad_params, complex_step(s, r.mesh, s:parameters())), 1e-9)
  end)

  if not tab.err then
    check.case(method .. ": the continuous adjoint's gradient converges", function()
      local coarse, fine = disagreement(method, 0.1), disagreement(method, 0.05)
      check.below(fine / coarse, 2 ^ -(tab.order - 0.3))
    end)
  end
end

check.case("backwards, and a step longer than the interval", function()
  local r = tool.solve(MODEL, { method = "rk4", tspan = { 1.5, 0 }, stats = true, set = { "solver.h=0.5" } })
  check.equal(r.accepted, 3)
  r = tool.solve(MODEL, { method = "rk4", stats = true, h = 100 })
  check.equal(r.accepted, 1)
end)

check.case("no estimate, no fixed step: said plainly", function()
  local message, status = check.run(("%s --method rk4 %s"):format(check.tool "lrnde-solve", MODEL))
  check.equal(status, 1)
  check.contains(message, "rk4 has no error estimate: it needs fixed steps (solver.h) or a mesh")
end)

check.done()
