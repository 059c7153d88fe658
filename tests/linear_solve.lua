--- The SOLVE ops: solutions against the equations they solve, derivatives of every kind against the complex step.

local check = require "check"
local derive = require "derive"
local ir = require "ir"
local value = require "language.value"

local TINY <const> = 1e-100

local function random_list(n)
  local list = {}
  for i = 1, n do list[i] = 2 * math.random() - 1 end
  return list
end

local function max_difference(a, b)
  local worst = 0
  for i = 1, #b do
    if a[i] ~= a[i] then return math.huge end
    worst = math.max(worst, math.abs(a[i] - b[i]))
  end
  return worst
end

--- What build(g, m, b) gives, for a matrix of n rows: a function of numbers { m, b, ... } by name.
local function graph_of(n, build)
  local g = ir.graph()
  local m, b = value.input(g, "m", "sample", { n * n }), value.input(g, "b", "sample", { n })
  for name, v in pairs(build(g, m, b)) do g:output(name, v.id, false) end
  return g
end

local function solve(m, b) return value.op("lu_solve", { value.op("lu", { m }), b }) end
local function solve_t(m, b) return value.op("lu_solve_t", { value.op("lu", { m }), b }) end

local SAMPLES <const> = 5

for _, n in ipairs { 1, 2, 3, 7 } do
  -- The first pivot is never on the diagonal of matrices like these, as often as not in another row for every sample.
  local numbers = { m = random_list(SAMPLES * n * n), b = random_list(SAMPLES * n) }
  local direction = { m = random_list(SAMPLES * n * n), b = random_list(SAMPLES * n) }
  for s = 0, SAMPLES - 1 do if n > 1 then numbers.m[s * n * n + 1] = 0 end end
  local step = {}
  for name, list in pairs(direction) do
    step[name] = {}
    for i, x in ipairs(list) do step[name][i] = TINY * x end
  end

  check.case(("%d equations: M x = b, M^T y = b"):format(n), function()
    local g = graph_of(n, function(_, m, b) return { x = solve(m, b), y = solve_t(m, b) } end)
    local r = g:eval(numbers, SAMPLES)
    for s = 0, SAMPLES - 1 do
      local back, back_t = {}, {}
      for i = 1, n do
        back[i], back_t[i] = 0, 0
        for j = 1, n do
          back[i] = back[i] + numbers.m[s * n * n + (j - 1) * n + i] * r.x.re[s * n + j]
          back_t[i] = back_t[i] + numbers.m[s * n * n + (i - 1) * n + j] * r.y.re[s * n + j]
        end
      end
      local b = table.move(numbers.b, s * n + 1, s * n + n, 1, {})
      check.below(max_difference(back, b), 1e-12)
      check.below(max_difference(back_t, b), 1e-12)
    end
  end)

  for name, f in pairs { lu_solve = solve, lu_solve_t = solve_t } do
    check.case(("%d equations, %s: jvp, vjp, and the jvp of the vjp"):format(n, name), function()
      local g = graph_of(n, function(g, m, b)
        local x = f(m, b)
        local dm, db = value.input(g, "dm", "sample", { n * n }), value.input(g, "db", "sample", { n })
        local c = value.input(g, "c", "sample", { n })
        local cot = derive.vjp({ { x, c } }, { m, b })
        local along = derive.jvp({ x, cot[1], cot[2] }, { { m, dm }, { b, db } })
        return { x = x, cot_m = cot[1], cot_b = cot[2], dx = along[1], d_cot_m = along[2], d_cot_b = along[3] }
      end)
      numbers.dm, numbers.db, numbers.c = direction.m, direction.b, random_list(SAMPLES * n)
      local r = g:eval(numbers, SAMPLES, step)
      local function by_step(v)
        local list = {}
        for i, im in ipairs(v.im) do list[i] = im / TINY end
        return list
      end
      for tangent, of in pairs { dx = "x", d_cot_m = "cot_m", d_cot_b = "cot_b" } do
        local expected, largest = by_step(r[of]), 0
        for _, x in ipairs(expected) do largest = math.max(largest, math.abs(x)) end
        check.below(max_difference(r[tangent].re, expected), 1e-10 * largest)
      end
      local forward, backward = 0, 0
      for i, x in ipairs(r.dx.re) do forward = forward + x * numbers.c[i] end
      for i, x in ipairs(r.cot_m.re) do backward = backward + x * direction.m[i] end
      for i, x in ipairs(r.cot_b.re) do backward = backward + x * direction.b[i] end
      check.near(backward, forward, 1e-10 * math.abs(forward))
    end)
  end
end

check.case("one factorisation for many solutions", function()
  local g = graph_of(3, function(_, m, b) return { x = solve(m, b), y = solve(m, b + b) } end)
  for _, pass in ipairs(ir.passes) do g = g:pass(pass.name) end
  check.equal(g:count().op.lu, 1)
  check.equal(g:count().op.lu_solve, 2)
end)

check.case("what does not fit is refused", function()
  local g = ir.graph()
  local three, nine = value.input(g, "three", "sample", { 3 }), value.input(g, "nine", "sample", { 9 })
  local shared = value.input(g, "shared", "shared", { 9 })
  check.contains(check.raises(value.op, "lu", { three }), "lu: (3) is not a square matrix")
  check.contains(check.raises(value.op, "lu", { shared }), "lu: argument 1 is shared, it must be per sample")
  check.contains(check.raises(value.op, "lu_solve", { nine, three }), "is not a square matrix in factors")
  check.contains(check.raises(value.op, "lu_solve", { value.op("lu", { nine }), nine }), "3 equations do not fit vector (9)")
  check.contains(check.raises(value.op, "lu_solve", { value.op("lu", { nine }, { 1, 18 }), three }),
                 "a pattern that is not that of the factors")
end)

check.done()
