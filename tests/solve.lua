--- lrnde-solve where its options meet one another and the model's own.

local check = require "check"
local tool = require "witness.tool"

tool.compiler = "tests/quick_cc.sh"

local MODEL <const> = "models/lotka_volterra.lua"

check.case("another span than the model's has not the model's save times", function()
  local set = { "saveat={2.5,10}" }
  check.equal(tool.solve(MODEL, { set = set }).t, { 2.5, 10 })
  check.equal(tool.solve(MODEL, { set = set, tspan = { 0, 10 } }).t, { 2.5, 10 })
  check.equal(tool.solve(MODEL, { set = set, tspan = { 0, 1 } }).t, { 1 })
  check.equal(tool.solve(MODEL, { set = set, tspan = { 0, 1 }, saveat = { 0.5 } }).t, { 0, 0.5, 1 })
end)

-- A solve that keeps no steps draws the curves alone, one that does marks their ends besides.
check.case("a plot of a solve that keeps its steps, and of one that does not", function()
  local folder = check.folder()
  for _, case in ipairs { { "interpolating", true }, { "backsolve", false } } do
    local sensitivity, marked = table.unpack(case)
    local path = ("%s/%s.svg"):format(folder, sensitivity)
    local r = tool.solve(MODEL, { sensitivity = sensitivity, gradient = "u[1]", stats = true, plot = path })
    check.equal(r.mesh ~= nil, marked)
    local file <close> = assert(io.open(path))
    local text = file:read "a"
    check.contains(text, "u[1]")
    check.equal(text:find("ends of steps", 1, true) ~= nil, marked)
  end
  check.run("rm -r " .. folder)
end)

check.done()
