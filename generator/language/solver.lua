--- The fields `solver` and `saveat` of a model: which method, from when to when, how well, and what is kept.

local contract = require "language.contract"
local registry = require "language.registry"
local tableau = require "language.tableau"
local vocabulary = require "language.vocabulary"

local solver = {}

local MOST_SAVE_TIMES <const> = 1000000

-- What a family of methods offers the rest: see one_step.lua.
local steppers = registry.open("steppers", {
  doc = "string", kernel = "function", step = "function", carried_step = "function", put_step = "function",
  formulas = "function", extra_stages = "function", error_sums = "function", total = "function", scale = "function",
  put_sums = "function", finish = "function", interior = "function", carry_components = "function", recorded = "function",
  read_carry = "function", read_constants = "function" })
solver.steppers = steppers

--- The method in a field of a model: { tab, stepper, start = the method of the first steps or nil }.
function solver.method(m, field, given)
  local word = vocabulary.name(given, "method") or m:fail(field, "must be a method, by name or as L.<name> {}")
  if not word:match "%.lua$" then
    local _, message = tableau.find(word)
    if message then m:fail(field, "%s", message) end
  end
  local tab = tableau.load(word)
  if m.stochastic ~= (tab.noise ~= nil) then
    m:fail(field, "%s is a method for %s differential equations", tab.name, tab.noise and "stochastic" or "ordinary")
  end
  if tab.precision and m.precision ~= tab.precision then m:fail("precision", "%s needs \"%s\"", tab.name, tab.precision) end
  if tab.largest_state and m.state > tab.largest_state then
    m:fail(field, "%s factorises the Jacobian of at most %d features, not %d", tab.name, tab.largest_state, m.state)
  end
  local start = tab.start and { tab = tab.start, stepper = steppers:get(tab.start.family) }
  return { tab = tab, stepper = steppers:get(tab.family), start = start }
end

local function load_method(m, options)
  local given = options.method or m.spec.solver.method or (m.stochastic and "sosri" or "tsit5")
  local method = solver.method(m, "solver.method", given)
  m.method, m.tab, m.stepper = method, method.tab, method.stepper
end

local function load_tspan(m)
  local tspan = m.spec.solver.tspan or (m.spec.data and "data") or m:fail("solver.tspan", "missing: { t0, t1 }")
  m.solver.tspan_data = tspan == "data"
  if tspan == "data" then
    if not m.spec.data then m:fail("solver.tspan", "\"data\", but the model has no data") end
    return
  end
  if type(tspan) ~= "table" or #tspan ~= 2 or not contract.is_finite(tspan[1]) or not contract.is_finite(tspan[2])
     or tspan[1] == tspan[2] then
    m:fail("solver.tspan", "must be { t0, t1 }, two different numbers, or \"data\"")
  end
  if m.stochastic and tspan[1] > tspan[2] then m:fail("solver.tspan", "a stochastic equation is solved forwards in time") end
  m.solver.t0, m.solver.t1 = tspan[1], tspan[2]
end

-- Save times lie within tspan, in the order of integration.
local function load_saveat(m)
  local saveat, t0, t1 = m.spec.saveat, m.solver.t0, m.solver.t1
  local direction = t1 > t0 and 1 or -1
  m.saveat = { from_data = saveat == "data" }
  if type(saveat) == "number" then
    local n = math.floor(math.abs(t1 - t0) / saveat + 1e-9)
    if not (saveat > 0) then m:fail("saveat", "the interval must be positive") end
    if not (n >= 1 and n <= MOST_SAVE_TIMES) then m:fail("saveat", "gives %.0f times, not 1 to %d", n, MOST_SAVE_TIMES) end
    m.saveat.list = {}
    for i = 1, n do m.saveat.list[i] = t0 + direction * i * saveat end
  elseif type(saveat) == "table" then
    if #saveat == 0 or #saveat > MOST_SAVE_TIMES then m:fail("saveat", "has %d times, not 1 to %d", #saveat, MOST_SAVE_TIMES) end
    for i, t in ipairs(saveat) do
      if not contract.is_finite(t) or (i > 1 and direction * (t - saveat[i - 1]) <= 0) then
        m:fail("saveat", "times must be numbers in the order of integration")
      end
      if not m.solver.tspan_data and (direction * (t - t0) < 0 or direction * (t1 - t) < 0) then
        m:fail("saveat", "%g is outside tspan, %g to %g", t, t0, t1)
      end
    end
    m.saveat.list = saveat
  elseif saveat and saveat ~= "data" then
    m:fail("saveat", "must be an interval, a list of times or \"data\"")
  elseif saveat and not m.spec.data then
    m:fail("saveat", "\"data\", but the model has no data")
  end
end

--- The absolute tolerances of the features as their largest, which can be changed at run time, and what each is of that.
local function load_atol(m, given)
  if type(given) ~= "table" then return given, nil end
  if #given ~= m.state then m:fail("solver.atol", "has %d numbers for a state of %d", #given, m.state) end
  local largest, shares = 0, {}
  for i = 1, #given do
    if not contract.is_finite(given[i]) or given[i] < 0 then
      m:fail("solver.atol", "entry %d must be a number that is not negative", i)
    end
    largest = math.max(largest, given[i])
  end
  for i = 1, #given do shares[i] = largest > 0 and given[i] / largest or 1 end
  return largest, shares
end

--- Sets method, tab, stepper, solver and saveat of m.  options.method overrides the model's.
function solver.load(m, options)
  local given = contract.check(m.spec.solver, {
    method = "string|table?", atol = "number|table?", rtol = "number?", tspan = "table|string?", max_steps = "integer?",
    h = "number?" }, m.file, "solver")
  load_method(m, options)
  local atol, atol_shares = load_atol(m, given.atol or (m.stochastic and 1e-2 or 1e-6))
  m.solver = { atol = atol, atol_shares = atol_shares, rtol = given.rtol or (m.stochastic and 1e-2 or 1e-3),
               max_steps = given.max_steps or 1000000, t0 = 0, t1 = 1, h = given.h or 0 }
  for _, key in ipairs { "atol", "rtol" } do
    if m.solver[key] < 0 then m:fail("solver." .. key, "must not be negative") end
  end
  if m.solver.atol == 0 and m.solver.rtol == 0 then m:fail("solver", "atol and rtol are both zero") end
  if m.solver.max_steps < 1 then m:fail("solver.max_steps", "must be positive") end
  if given.h and not (given.h > 0 and given.h < math.huge) then m:fail("solver.h", "the fixed step must be positive") end
  load_tspan(m)
  load_saveat(m)
end

return solver
