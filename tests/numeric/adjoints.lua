--- What the continuous adjoints have beyond a gradient at the end of a solve: losses at several times, constants of samples,
--- every regularizer, running costs, tolerances and a norm of their own, and the warning of a solve back that goes astray.

local check = require "check"
local one_step = require "witness.one_step"
local system = require "witness.system"
local tool = require "witness.tool"
local vector = require "witness.vector"
local vocabulary = require "language.vocabulary"

tool.compiler = "tests/quick_cc.sh"

local FITTED <const> = "tests/numeric/models/fitted.lua"
local LOTKA_VOLTERRA <const> = "models/lotka_volterra.lua"

-- Every continuous adjoint, and what else is written as a component.
local adjoints = { "L.backsolve{checkpoints=3}", "L.backsolve{norm='state'}", "L.interpolating{norm='state'}" }
for _, name in ipairs(vocabulary.sensitivities:names()) do
  if vocabulary.sensitivities:get(name).adjoint then adjoints[#adjoints + 1] = name end
end

--- fitted.csv with ten times and two runs, in a folder of its own.
local function ten_times()
  local folder = check.folder()
  local file <close> = assert(io.open(folder .. "/fitted.csv", "w"))
  file:write "run,t,x,y,a,b,g\n"
  for _, run in ipairs { { "one", 0.5, -0.2, 0.3, 0.1, 1.2 }, { "two", -0.7, 0.4, -0.2, 0.6, 0.8 } } do
    for i = 0, 9 do
      local t = 0.02 * i * (i + 1)
      file:write(("%s,%.17g,%.17g,%.17g,%g,%g,%g\n"):format(run[1], t, run[2] * math.cos(t), run[3] + math.sin(2 * t),
                                                            table.unpack(run, 4)))
    end
  end
  return folder
end
local data = ten_times()

--- The gradient of one training step at tolerances of 1e-10, and the log's line.
local function train(sensitivity, regularize)
  local set = { "regularize=" .. regularize, "solver.atol=1e-10", "solver.rtol=1e-10" }
  local s = system.load(FITTED, { set = set })
  set[#set + 1] = "sensitivity=" .. sensitivity
  local log, _, gradient = one_step(s, FITTED, data, set)
  return gradient, log
end

-- The regularizer weighs as much as the loss; tests/numeric/training.lua holds the discrete gradient against witnesses.
for _, regularize in ipairs { "false", "{coefficient=1e3,sampling='biased',gradient='partial'}",
                              "{coefficient=1e3,sampling='unbiased',gradient='truncated'}",
                              "{coefficient=1e3,sampling='unbiased',gradient='total'}",
                              "{coefficient=1e3,sampling='biased',gradient='total'}" } do
  local exact, plain = train("discrete", regularize), train("discrete", "false")
  for _, sensitivity in ipairs(adjoints) do
    check.case(("ten times, regularize = %s: %s"):format(regularize, sensitivity), function()
      if regularize ~= "false" then check.below(1e-4, vector.distance(exact, plain)) end
      check.below(vector.distance(train(sensitivity, regularize), exact), 1e-7)
    end)
  end
end

check.case("a biased regularizer does not make the sweep stop", function()
  for _, sensitivity in ipairs { "interpolating", "gauss", "quadrature" } do
    local _, without = train(sensitivity, "false")
    local _, with = train(sensitivity, "{sampling='biased'}")
    check.equal(with.adjoint_accepted, without.adjoint_accepted)
  end
end)

--- The gradient by parameters and u0 of lrnde-solve.
local function gradient(model, of, sensitivity, options)
  local all = { gradient = of, sensitivity = sensitivity, atol = 1e-10, rtol = 1e-10 }
  for name, x in pairs(options or {}) do all[name] = x end
  local r = tool.solve(model, all)
  return vector.join(r.grad_params, r.grad_u0)
end

-- By forward sensitivity equations, 40 digits; the gradient by the start of the cost is 1.
local RUNNING_COST <const> = { 21.051470332990628036, -101.40824360693736965, 63.192881852293424479, -231.6086205860320458,
                               -57.50034500960741768, -14.312144951371457918, 1 }
for _, sensitivity in ipairs { "discrete", table.unpack(adjoints) } do
  check.case("a running cost: " .. sensitivity, function()
    check.below(vector.distance(gradient("tests/numeric/models/running_cost.lua", "cost", sensitivity), RUNNING_COST), 1e-8)
  end)
end

check.case("a reverse solve has tolerances of its own", function()
  local exact = gradient(LOTKA_VOLTERRA, "u[1]+u[2]", "discrete")
  for _, name in ipairs { "interpolating", "gauss", "quadrature" } do
    local function distance(tolerance)
      local options = { ["adjoint-atol"] = tolerance, ["adjoint-rtol"] = tolerance }
      return vector.distance(gradient(LOTKA_VOLTERRA, "u[1]+u[2]", name, options), exact)
    end
    check.below(distance(1e-10), 1e-8)
    check.below(distance(1e-6), 1e-4)
    check.below(1e-6, distance(1e-4))
  end
end)

check.case("a model may give them, the command line gives others", function()
  local given = "L.gauss{atol=1e-5,rtol=1e-5}"
  local function by(sensitivity, tolerance)
    return gradient(LOTKA_VOLTERRA, "u[1]+u[2]", sensitivity, { ["adjoint-atol"] = tolerance, ["adjoint-rtol"] = tolerance })
  end
  check.equal(by(given), by("gauss", 1e-5))
  check.equal(by(given, 1e-10), by("gauss", 1e-10))
  check.equal(by(given, 1e-10), by "gauss")                        -- the solve's own are 1e-10
end)

check.case("solving back over a descending time span", function()
  local options = { tspan = { 10, 0 }, u0 = { 1, 1 } }
  local exact = gradient(LOTKA_VOLTERRA, "u[1]+u[2]", "discrete", options)
  for _, sensitivity in ipairs(adjoints) do
    check.below(vector.distance(gradient(LOTKA_VOLTERRA, "u[1]+u[2]", sensitivity, options), exact), 1e-7)
  end
end)

--- What lrnde-solve prints, and its exit status, when it solves back.
local function solve_back(model, options)
  return check.run(("%s --gradient x --atol 1e-6 --rtol 1e-6 %s %s"):format(check.tool "lrnde-solve", options, model))
end

-- Backwards, both part from their solution; over a longer time than here they leave every bound.
for _, case in ipairs { { "stiff", "models/van_der_pol.lua", "--params 50 --tspan 0,5" },
                        { "stiff", "models/van_der_pol.lua", "--params 20 --tspan 0,1 --method rodas5p" },
                        { "chaotic", "tests/numeric/models/lorenz.lua", "--tspan 0,1" } } do
  local kind, model, options = table.unpack(case)
  local by = options:match "%-%-method (%w+)" or "explicit steps"
  check.case(("solving back a %s system by %s is found out"):format(kind, by), function()
    local text, status = solve_back(model, options .. " --sensitivity backsolve")
    check.equal(status, 0)
    check.below(1e3, tonumber(text:match "warning: adjoint, solving u back: u misses the solution by ([%d.e+]+) tolerances"))
    text, status = solve_back(model, options .. " --sensitivity 'L.backsolve{strict=true}'")
    check.equal(status, 3)
    check.contains(text, "lrnde-solve: error: adjoint, solving u back: u misses the solution by ")
  end)
end

check.case("solving back may fail altogether", function()
  local text, status = solve_back("tests/numeric/models/lorenz.lua", "--sensitivity backsolve --set solver.max_steps=20000")
  check.equal(status, 3)
  check.contains(text, "lrnde-solve: error: adjoint, solving u back: 20000 steps are not enough: t = ")
end)

check.case("solving back a tame system is not", function()
  check.equal({ solve_back("models/van_der_pol.lua", "--tspan 0,5 --sensitivity 'L.backsolve{strict=true}'"):match "warning" }, {})
end)

check.case("checkpoints put it back", function()
  local options = { params = { 50 }, tspan = { 0, 5 } }
  local exact = gradient("models/van_der_pol.lua", "x", "discrete", options)
  local put_back = gradient("models/van_der_pol.lua", "x", "L.backsolve{checkpoints=1000,strict=true}", options)
  check.below(vector.distance(put_back, exact), 1e-6)
end)

check.run("rm -r " .. data)
check.done()
