--- Adams methods beside what suites of all explicit methods ask of them: steps that change, what they cost, what a method that
--- remembers cannot do, and a local step by another method.

local adaptive = require "witness.adaptive"
local check = require "check"
local explicit = require "witness.explicit"
local host = require "host"
local lrnde = require "lrnde"
local one_step = require "witness.one_step"
local runge_kutta = require "witness.runge_kutta"
local system = require "witness.system"
local tableau = require "language.tableau"
local tool = require "witness.tool"
local vector = require "witness.vector"

tool.compiler = "tests/quick_cc.sh"

local NONAUT <const>, EQUATIONS <const>, FITTED <const> =
  "tests/numeric/models/nonaut.lua", "tests/numeric/models/equations.lua", "tests/numeric/models/fitted.lua"

local GEN <const> = check.tool "lrnde-gen"

local methods = {}
for _, name in ipairs(explicit) do
  local tab = tableau.load(name)
  if tab.past then methods[#methods + 1] = tab end
end
check.case("there are some", function() check.equal(#methods > 0, true) end)

--- A mesh over [0, 2] of n steps, every second one `ratio` times as long as the other.
local function mesh_of(n, ratio)
  local mesh, h = { 0 }, 4 / (n * (1 + ratio))
  for i = 1, n do mesh[1 + i] = mesh[i] + (i % 2 == 0 and ratio or 1) * h end
  mesh[1 + n] = 2
  return mesh
end

for _, tab in ipairs(methods) do
  for _, ratio in ipairs { 1, 2, 3 } do
    check.case(("%s: its order where steps are 1 : %d"):format(tab.name, ratio), function()
      local errors = {}
      for i, n in ipairs { 400, 800, 1600 } do
        local u = tool.solve(NONAUT, { method = tab.name, mesh = mesh_of(n, ratio) }).u
        errors[i] = math.abs(u[#u][1] - 1 / (2 - math.cos(2)))
      end
      for i = 2, #errors do check.near(math.log(errors[i - 1] / errors[i], 2), tab.order, 0.1) end
    end)
  end

  check.case(tab.name .. ": steps and evaluations, some rejected", function()
    local all_rejected = 0
    for _, tolerance in ipairs { 1e-2, 1e-3, 1e-5 } do
      for _, model in ipairs { EQUATIONS, NONAUT } do
        local s = system.load(model, { method = tab.name })
        local p, tolerances = s:parameters(), { atol = tolerance, rtol = tolerance }
        local r = tool.solve(model, { method = tab.name, atol = tolerance, rtol = tolerance, params = #p > 0 and p or nil,
                                      gradient = "u[1]", stats = true })
        local mesh, rejected, first = adaptive.mesh(s.tab, s:field(vector.constant(p)), s.m.solver.t0, s.m.solver.t1,
                                                    vector.constant(s.m.u0), tolerances)
        check.equal({ r.accepted, r.rejected }, { #mesh - 1, rejected })
        for i, t in ipairs(mesh) do check.near(r.mesh[i], t, 1e-9) end
        -- Two for the length of the first step and one for its derivative; then each first step that was tried has all its
        -- stages but that one, and each step after them one evaluation if it is accepted, none if it is not.
        local tried = tab.past + first
        check.equal(r.nfe, 3 + tried * (tab.start.stages - 1) + r.accepted - tab.past)
        all_rejected = all_rejected + rejected - first
      end
    end
    check.equal(all_rejected > 0, true)
  end)

  check.case(tab.name .. ": what is kept of a step does not change the gradient", function()
    local function gradient(sensitivity)
      local r = tool.solve(EQUATIONS, { method = tab.name, gradient = "u[1]+u[2]", rtol = 1e-6, atol = 1e-6,
                                        set = { "sensitivity=" .. sensitivity } })
      return vector.join(r.grad_params, r.grad_u0)
    end
    local all = gradient "L.discrete{}"
    for _, store in ipairs { 'store="state"', "checkpoints=1", "checkpoints=5" } do
      check.equal(gradient(("L.discrete{%s}"):format(store)), all)
    end
  end)

  check.case(tab.name .. ": an adjoint begins anew at every save time; a local step is its own", function()
    local function gradient(sensitivity, kind)
      local set = { "method=" .. tab.name, ("regularize={coefficient=1e3,gradient=%q}"):format(kind), "solver.atol=1e-9",
                    "solver.rtol=1e-9" }
      local s = system.load(FITTED, { set = set })
      set[#set + 1] = "sensitivity=" .. sensitivity
      local _, _, g = one_step(s, FITTED, "tests/numeric/models", set)
      return g
    end
    for _, kind in ipairs { "partial", "total" } do
      check.below(vector.distance(gradient("interpolating", kind), gradient("discrete", kind)), 1e-7)
    end
  end)

  check.case(tab.name .. ": no gradient of its own error with everything held that it is made of", function()
    local words = ("--check --method %s --set regularize.gradient=truncated tests/models/mixed.lua"):format(tab.name)
    check.fails(GEN .. " " .. words, 1, "regularize.gradient: error: \"truncated\" holds what a step begins with")
    check.fails(("%s --check --method bs3 --set regularize.method=%s tests/models/mixed.lua"):format(GEN, tab.name), 1,
                "regularize.method: error: .*begins with bs3")
  end)
end

--- R of a step by `by` from where the solve's own step that contains T began, and the gradient with that state held.
check.case("a local step by another method", function()
  local T <const>, TOLERANCE <const> = 0.7, { atol = 1e-3, rtol = 1e-3 }
  for _, pair in ipairs { { "vcab3", "tsit5", "partial" }, { "vcab3", "tsit5", "truncated" }, { "vcab3", "tsit5", "total" },
                          { "rk4", "heun21", "partial" } } do
    local method, by, gradient = table.unpack(pair)
    local set = { ("regularize={method=%q,gradient=%q}"):format(by, gradient), method == "rk4" and "solver.h=0.2" or nil }
    local s, local_tab = system.load(EQUATIONS, { method = method, set = set }), tableau.load(by)
    local p, u0 = s:parameters(), vector.constant(s.m.u0)
    local r = tool.solve(EQUATIONS, { method = method, set = set, params = p, atol = TOLERANCE.atol, rtol = TOLERANCE.rtol,
                                      ["local-step"] = T, stats = true })
    local held = s:field(vector.constant(p))
    local steps = runge_kutta.integrate(s.tab, held, r.mesh, u0)
    local step = runge_kutta.containing(steps, T)
    check.near(r.t, step.t, 1e-15)
    check.near(r.h, step.h, 1e-15)
    check.equal(r.nfe_local, local_tab.stages)
    local function value(q)
      local f, u = s:field(q), step.u
      if gradient == "total" then u = runge_kutta.containing(runge_kutta.integrate(s.tab, f, r.mesh, u0), T).u end
      local k1 = gradient == "truncated" and held(step.t, step.u) or nil
      local trial = runge_kutta.step(local_tab, f, step.t, step.h, u, k1)
      return runge_kutta.error(local_tab, trial, TOLERANCE) * step.h
    end
    check.near(r.reg, value(vector.constant(p)).value, 1e-10 * r.reg)
    local expected = {}
    for i = 1, #p do expected[i] = value(vector.variable(p, i)).slope end
    check.below(vector.distance(r.grad_params, expected), 1e-7)
  end
end)

check.case("a method in a file is another one, whatever its name; the solve's own is none", function()
  local folder = check.folder()
  local function regularizer(word)
    return lrnde.build(EQUATIONS, { method = "tsit5", set = { { "regularize", ("{method=%q}"):format(word) } } }).regularizer
  end
  host.write(folder .. "/tsit5.lua", assert(host.read(host.root .. "/tableaus/bs3.lua")))
  check.equal(regularizer(folder .. "/tsit5.lua").tab.stages, 4)
  check.equal(regularizer "tsitouras5" or regularizer "tsit5", nil)
  check.run("rm -r " .. folder)
end)

check.case("the paper's code: a Tsit5 step of an automatic length, nine evaluations", function()
  local set = { 'regularize={method="tsit5",step_size="automatic",gradient="truncated"}' }
  local r = tool.solve(EQUATIONS, { method = "vcab3", set = set, ["local-step"] = 0.7 })
  check.equal(r.nfe_local, 9)
  check.equal(r.t, 0.7)
end)

check.done()
