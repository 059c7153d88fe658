--- Order: every method's error over fixed meshes falls as fast as its tableau says, at the ends of steps and inside, and
--- `lrnde-gen --tableau` accepts it.

local check = require "check"
local explicit = require "witness.explicit"
local problems = require "witness.problems"
local tableau = require "language.tableau"
local tool = require "witness.tool"

local SMALLEST <const>, LARGEST <const> = 2e-13, 1e-3       -- errors above rounding and within the asymptotic range

--- The largest error at the points { {t, u}.. } of a solve over n equal steps to the end of the problem.
local function error_at(problem, method, n, points)
  local t1, times, largest = problem.ends[1].t, { 0 }, 0
  for i, point in ipairs(points) do times[1 + i] = point.t end
  local u = tool.solve(problem.model, { method = method, h = t1 / n, saveat = times, tspan = { 0, t1 } }).u
  for i, point in ipairs(points) do
    for j, x in ipairs(u[1 + i]) do largest = math.max(largest, math.abs(x - point.u[j])) end
  end
  return largest
end

--- The slope of -log(error) over log(n), by least squares.
local function slope(points)
  local n, x, y, xx, xy = #points, 0, 0, 0, 0
  for _, p in ipairs(points) do
    x, y, xx, xy = x + p[1], y + p[2], xx + p[1] * p[1], xy + p[1] * p[2]
  end
  return -(n * xy - x * y) / (n * xx - x * x)
end

--- Meshes twice as fine from one to the next; of those with an error in range the finest four, where the leading term of
--- the error has come to rule.
local function measured_order(problem, method, where)
  local points, n = {}, 2
  while n <= 2 ^ 17 do
    local err = error_at(problem, method, n, where)
    if err < SMALLEST then break end
    if err <= LARGEST then points[#points + 1] = { math.log(n), math.log(err) } end
    n = 2 * n
  end
  if #points < 3 then error(("only %d meshes with errors in range"):format(#points)) end
  return slope { table.unpack(points, math.max(1, #points - 3)) }
end

local function check_order(problem, method, where, order)
  local measured = measured_order(problem, method, where)
  if measured < order - 0.2 then error(("measured %.2f, the tableau says %d"):format(measured, order)) end
end

local by_name = {}
for _, problem in ipairs(problems) do by_name[problem.name] = problem end

-- A third and two thirds of the way to the end of nonaut: never points of the meshes, one of them a third into a step, the
-- other two.
local INSIDE <const> = {}
for i, t in ipairs { 2 / 3, 4 / 3 } do INSIDE[i] = { t = t, u = { 1 / (2 - math.cos(t)) } } end

for _, method in ipairs(explicit) do
  local tab = tableau.load(method)
  for _, name in ipairs { "Lotka-Volterra", "nonaut" } do
    check.case(("%s converges on %s"):format(method, name), function()
      check_order(by_name[name], method, { by_name[name].ends[1] }, tab.order)
    end)
  end
  check.case(method .. ": dense output converges on nonaut", function()
    check_order(by_name.nonaut, method, INSIDE, tab.dense.order)
  end)
  check.case(method .. ": lrnde-gen --tableau", function()
    local text, status = check.run(("%s --tableau tableaus/%s.lua"):format(check.tool "lrnde-gen", method))
    check.equal(status, 0)
    check.equal(tonumber(text:match "\norder%s+(%d+)"), tab.order)
  end)
end

check.done()
