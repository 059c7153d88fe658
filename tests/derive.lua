--- Derivatives of what reads a vector feature by feature: right, and as cheap as reverse mode promises.

local check = require "check"
local derive = require "derive"
local ir = require "ir"
local lrnde = require "lrnde"
local value = require "language.value"

local N <const>, READ <const> = 24, 20                            -- the last features are not read

--- y = sum_{i<j} (x_i - x_j)^2 over the features read; its operations, and the graph.
local function pairs_of_features()
  local g = ir.graph()
  local x = value.input(g, "x", "sample", { N })
  local function feature(i) return value.op("index", { x }, { i, 0 }) end
  local y = 0
  for i = 0, READ - 1 do
    for j = i + 1, READ - 1 do y = y + (feature(i) - feature(j)) ^ 2 end
  end
  return g, x, y
end

check.case("the reverse of a function of single features is right and costs a few times the function", function()
  local forward, _, value_of = pairs_of_features()
  forward:output("y", value_of.id)
  local g, x, y = pairs_of_features()
  g:output("bar_x", derive.vjp({ { y, value.spread(value.lift(g, 1)) } }, { x })[1].id)
  local before, after = lrnde.optimize(forward, {}):count().flop, lrnde.optimize(g, {}):count().flop
  check.below(after / before, 5)

  local numbers, total = {}, 0
  for i = 1, N do
    numbers[i] = math.sin(i)
    if i <= READ then total = total + numbers[i] end
  end
  local bar = g:eval({ x = numbers }, 1).bar_x.re
  for i = 1, N do check.near(bar[i], i <= READ and 2 * (READ * numbers[i] - total) or 0, 1e-12) end
end)

check.done()
