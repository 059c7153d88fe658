--- Tests of the methods in tableaus/ and of what checks them. Run in the root: lua5.4 tests/tableau.lua
--
-- Loading a file already checks its conditions, so whatever is in the folder is tested. Beside that the files are held
-- against the table of the literature's figures below, and the arithmetic against the C library's.

package.path = "generator/?.lua;tests/?.lua;" .. package.path

local check = require "check"
local erk = require "language.families.erk"
local host = require "host"
local multistep = require "language.multistep"
local order_conditions = require "language.order_conditions"
local natural = require "language.natural"
local rational = require "language.rational"
local stability = require "language.stability"
local tableau = require "language.tableau"

-- From an independent computation at 70 digits: the residuals at the first order that b and b - err must miss (the
-- largest over all trees), and the real stability limit.
local FIGURES <const> = {
  heun21 = {
    stages = 2, order = 2, embedded = 1, fsal = false, dense = 2, extra = 1,
    after = 0.167, after_hat = 0.5, limit = 2.0,
  },
  bs3 = {
    stages = 4, order = 3, embedded = 2, fsal = true, dense = 3, extra = 0,
    after = 4.17e-2, after_hat = 4.17e-2, limit = 2.51274532662,
  },
  rkf45 = {
    stages = 6, order = 5, embedded = 4, fsal = false, dense = 3, extra = 1,
    after = 2.48e-3, after_hat = 1.28e-3, limit = 3.67770662132,
  },
  dp5 = {
    stages = 7, order = 5, embedded = 4, fsal = true, dense = 4, extra = 0,
    after = 2.78e-4, after_hat = 8.08e-4, limit = 3.30656789263, pair = { 6, 7 },
  },
  tsit5 = {
    stages = 7, order = 5, embedded = 4, fsal = true, dense = 4, extra = 0,
    after = 2.20e-4, after_hat = 8.67e-4, limit = 3.5068469938, pair = { 6, 7 },
  },
  vern7 = {
    stages = 10, order = 7, embedded = 6, fsal = false, dense = 6, extra = 6,
    after = 1.72e-5, after_hat = 4.29e-4, limit = 4.64002433534, pair = { 9, 10 },
  },
  dop853 = {
    stages = 13, order = 8, embedded = { 5, 3 }, fsal = true, dense = 7, extra = 3,
    after = 2.68e-5, limit = 6.39365152285, pair = { 12, 13 },
  },
}

local function list(x) return type(x) == "table" and table.concat(x, " ") or tostring(x) end

local function random_decimal()
  local digits = {}
  for i = 1, math.random(1, 40) do digits[i] = math.random(0, 9) end
  local sign = math.random() < 0.5 and "-" or ""
  return ("%s%s.%de%d"):format(sign, table.concat(digits), math.random(0, 10 ^ 9 | 0), math.random(-60, 60))
end

check.case("rational: spellings", function()
  for text, canonical in pairs {
    ["0"] = "0", ["-0"] = "0", ["12"] = "12", ["+1/2"] = "1/2", [" 6 / 4 "] = "3/2", ["-.5e-2"] = "-1/200", ["1."] = "1",
    ["0.1e1"] = "1", ["5e3"] = "5000", ["1.5/-0.5"] = "-3",
    ["123456789012345678901234567890"] = "123456789012345678901234567890",
  } do
    check.equal(tostring(rational.parse(text)), canonical)
  end
  local unreadable = { "", " ", ".", "x", "1e", "1/0", "1/2/3", "1 2", "--1", "0x10", "nan", "inf", "1e9999", ("1"):rep(500) }
  for _, text in ipairs(unreadable) do
    check.equal(rational.parse(text), nil)
  end
end)

-- Limbs at the ends of their range are where a guessed limb of a quotient is too large.
check.case("natural: a = q b + r, r < b", function()
  local ends, state = { 0, 1, 1 << 23, (1 << 23) - 1, (1 << 24) - 1 }, 1
  local function some(most)
    local a = {}
    for i = 1, most do
      state = (state * 6364136223846793005 + 1442695040888963407)
      a[i] = (state >> 60) % 2 == 0 and ends[(state >> 33) % #ends + 1] or state >> 40
    end
    while a[#a] == 0 do a[#a] = nil end
    return a
  end
  for i = 1, 4000 do
    local a, b = some(i % 9), some(1 + i % 5)
    if #b > 0 then
      local q, r = natural.divmod(a, b)
      check.equal(natural.add(natural.mul(q, b), r), a)
      check.equal(natural.compare(r, b), -1)
    end
  end
end)

check.case("rational: arithmetic", function()
  local function q(text) return assert(rational.parse(text)) end
  check.equal(q "0.1" + q "0.2", q "3/10")
  check.equal(tostring(q "5/72" - q "7/24"), "-2/9")
  check.equal(tostring(q "7/24" - q "5/72"), "2/9")
  check.equal(tostring(q "-1/3" * q "-6/5"), "2/5")
  check.equal((q "1e-80" - q "1e-80"):is_zero(), true)
  check.equal((q "1e-80"):is_zero(), false)
  for _ = 1, 100 do
    local x, y, z = q(random_decimal()), q(random_decimal()), q(random_decimal())
    check.equal(x + y - y, x)
    check.equal((x + y) * z, x * z + y * z)
  end
end)

check.case("rational: rounds to the nearest double, as strtod and division do", function()
  for _ = 1, 500 do
    local text = random_decimal()
    check.equal(rational.parse(text):tonumber(), tonumber(text))
    local p, d = math.random(-(1 << 53), 1 << 53), math.random(1, 1 << 53)
    check.equal(rational.parse(p .. "/" .. d):tonumber(), p / d)
  end
  for text, nearest in pairs { -- ties go to the even neighbour, unless anything at all lies beyond them
    ["9007199254740993"] = 0x1p53, ["9007199254740995"] = 0x1p53 + 4,
    ["9007199254740993.00000000000000000000000001"] = 0x1p53 + 2, ["1e300"] = 1e300, ["-1e-300"] = -1e-300,
  } do
    check.equal(rational.parse(text):tonumber(), nearest)
  end
end)

check.case("rooted trees: their number, the tallest and the bushiest", function()
  local factorial = 1
  for n, expected in ipairs { 1, 1, 2, 4, 9, 20, 48, 115, 286, 719 } do
    local trees, least, most = order_conditions.trees(n), math.huge, 0
    for _, tree in ipairs(trees) do least, most = math.min(least, tree.gamma), math.max(most, tree.gamma) end
    factorial = factorial * n
    check.equal(#trees, expected)
    check.equal(least, n)
    check.equal(most, factorial)
  end
end)

for _, name in ipairs(tableau.names "erk") do
  check.case(name .. ": consistent", function()
    local method = tableau.load(name)
    check.equal(method.name, name)
    if method.real_stability_limit then
      check.near(stability.amplification(method.A, method.b, -method.real_stability_limit), 0.0, 1.0 + 1e-9)
      check.equal(math.abs(stability.amplification(method.A, method.b, -method.real_stability_limit - 1e-6)) > 1.0, true)
      check.near(stability.amplification(method.A, method.b, 0.1), math.exp(0.1), 0.1 ^ (method.order + 1))
      for _, err in ipairs(method.err or {}) do
        local sum = 0.0
        for _, weight in ipairs(err) do sum = sum + weight end
        check.near(sum, 0.0, 1e-12)
      end
    end
    check.equal(#method.dense.poly, method.stages + method.dense.extra)
    check.equal(method.dense.stages, method.stages + method.dense.extra)
  end)

  check.case(name .. ": entries are rounded as the C library rounds", function()
    local method = tableau.load(name)
    local function compare(numbers, texts)
      for i, text in ipairs(texts) do
        local p, q = text:match "^(.-)/(.+)$"
        local exact = tonumber(p or text) / tonumber(q or 1)
        local short = not p or math.abs(tonumber(p)) < 2 ^ 53 and tonumber(q) < 2 ^ 53
        if short then check.equal(numbers[i], exact) end
      end
    end
    compare(method.c, method.text.c)
    compare(method.b, method.text.b)
    for i, row in ipairs(method.text.A) do compare(method.A[i], row) end
    for i, row in ipairs(method.text.err or {}) do compare(method.err[i], row) end
  end)
end

for name, figures in pairs(FIGURES) do
  check.case(name .. ": the figures of the literature", function()
    local method = tableau.load(name)
    check.equal(method.stages, figures.stages)
    check.equal(method.order, figures.order)
    check.equal(list(method.embedded_order), list(figures.embedded))
    check.equal(method.fsal, figures.fsal)
    check.equal(method.dense.order, figures.dense)
    check.equal(method.dense.extra, figures.extra)
    check.near(method.real_stability_limit, figures.limit, 1e-11 * figures.limit)
    check.equal(list(method.stiffness_pair), list(figures.pair))

    local conditions = order_conditions.new(method.A)
    check.near(conditions:of(method.b)(method.order + 1), figures.after, 5e-3 * figures.after)
    if figures.after_hat then
      local bhat = {}
      for i, weight in ipairs(method.b) do bhat[i] = weight - method.err[1][i] end
      check.near(conditions:of(bhat)(method.embedded_order + 1), figures.after_hat, 5e-3 * figures.after_hat)
    end
  end)

  check.case(name .. ": dense output is continuously differentiable", function()
    local method = tableau.load(name)
    local at_end = method.fsal and method.stages or method.stages + 1 -- the stage f(t + h, u1)
    for i, row in ipairs(method.dense.poly) do
      local slope = 0.0
      for j, x in ipairs(row) do slope = slope + j * x end
      check.near(row[1], i == 1 and 1.0 or 0.0, 1e-12)
      check.near(slope, i == at_end and 1.0 or 0.0, 1e-10)
    end
  end)
end

-- ---- stochastic methods ----

--- Calls visit(entry, set) for every coefficient of a table of them; set(x) puts another in its place.
local function each_coefficient(t, visit)
  for key, entry in pairs(t) do
    if type(entry) == "table" then
      each_coefficient(entry, visit)
    else
      visit(entry, function(x) t[key] = x end)
    end
  end
end

for _, name in ipairs { "sosri", "sosri2", "sosra" } do             -- those without a coefficient that does not matter
  check.case(name .. ": no coefficient can be another", function()
    local file = "tableaus/" .. name .. ".lua"
    local data = host.sandbox(file, {})
    local complete = require("language.families." .. data.family).complete
    complete(data, file)
    for _, field in ipairs { "c0", "c1", "A0", "A1", "B0", "B1", "alpha", "beta1", "beta2", "beta3", "beta4" } do
      each_coefficient(data[field] or {}, function(entry, set)
        set(tonumber(entry) + 1e-5)
        check.raises(complete, data, file)
        set(entry)
      end)
    end
    complete(data, file)
  end)
end

check.case("stochastic methods: equal stages are one, unused ones none; dZ only where it is wanted", function()
  local sriw1, em = tableau.load "sriw1", tableau.load "euler_maruyama"
  check.equal(sriw1.drift, { 1, 2, 1 })
  check.equal(sriw1.diffusion, { 1, 2, 3, 4 })
  check.equal(sriw1.noise, 2)
  check.equal(em.noise, 1)
  check.equal(em.order, 0.5)
  check.equal(em.err, nil)
  check.equal(tableau.load("sra1").controller.beta1, 7 / 20)
  check.near(tableau.load("sosri").controller.beta1, 7 / 15, 1e-16)
end)

check.case("Adams: the weights of equal steps are those of the literature", function()
  local h = { 1, 1, 1 }
  for p, weights in ipairs { { 1 }, { 3 / 2, -1 / 2 }, { 23 / 12, -16 / 12, 5 / 12 } } do
    local g, beta = multistep.g(p, h), multistep.beta(p, h)
    for i, weight in ipairs(weights) do
      local f, sum = {}, 0
      for j = 1, p do f[j] = i == j and 1 or 0 end
      for j, phi in ipairs(multistep.phi(p, h, f)) do sum = sum + g[j] * beta[j] * phi end
      check.near(sum, weight, 1e-15)
    end
  end
  local vcab3 = tableau.load "vcab3"
  check.equal({ vcab3.past, vcab3.start.past, vcab3.start.name }, { 2, 2, "bs3" })
  check.equal(tableau.load("bs3").past, nil)                         -- the start is another table
  check.near(vcab3.controller.beta1, 7 / 30, 1e-16)
end)

check.case("b - bhat is formed exactly", function()
  check.equal(list(tableau.load("dp5").text.err[1]), "71/57600 0 -71/16695 71/1920 -17253/339200 22/525 -1/40")
  check.equal(list(tableau.load("rkf45").text.err[1]), "1/360 0 -128/4275 -2197/75240 1/50 2/55")
end)

check.case("controllers: the defaults follow the order, two files have their own", function()
  local function is(name, beta1, beta2, qmin, qmax)
    local controller = tableau.load(name).controller
    check.equal(list { controller.beta1, controller.beta2, controller.gamma, controller.qmin, controller.qmax },
      list { beta1, beta2, 0.9, qmin, qmax })
  end
  is("bs3", 7 / 30, 2 / 15, 0.2, 10.0)
  is("tsit5", 7 / 50, 2 / 25, 0.2, 10.0)
  is("dp5", 0.17, 0.04, 0.2, 10.0)
  is("dop853", 0.125, 0.0, 1 / 3, 6.0)
end)

check.case("without an estimate a method has fixed steps; Lua's numbers are coefficients too", function()
  local rk4 = erk.complete({
    family = "erk", order = 4,
    c = { 0, 0.5, 0.5, 1 }, A = { {}, { 0.5 }, { 0, 0.5 }, { 0, 0, 1 } }, b = { "1/6", "1/3", "1/3", "1/6" },
  }, "rk4.lua")
  check.equal(rk4.err, nil)
  check.equal(rk4.embedded_order, nil)
  check.equal(rk4.text.A[2][1], "0.5")
  check.equal(rk4.dense.order, 3)
  check.equal(list(rk4.dense.extra_A[1]), list(rk4.b))
end)

check.case("names and aliases", function()
  for alias, name in pairs {
    dopri5 = "dp5", dormand_prince = "dp5", rk45 = "dp5", bosh3 = "bs3", rk23 = "bs3", fehlberg = "rkf45", heun = "heun21",
    tsitouras = "tsit5", Tsit5 = "tsit5", dp8 = "dop853",
  } do
    check.equal(tableau.load(alias).name, name)
  end
  local taken = {}
  for _, name in ipairs(tableau.names()) do
    for _, word in ipairs { name, table.unpack(tableau.load(name).aliases) } do
      check.equal(taken[word], nil)
      taken[word] = name
    end
  end
  local message = check.raises(tableau.load, "tsit6")
  check.contains(message, "no 'tsit6' in tableaus/; did you mean 'tsit5'?")
  for _, name in ipairs(tableau.names()) do check.contains(message, name) end
end)

check.case("a file is named by its path", function()
  local method = tableau.load "tableaus/bs3.lua"
  check.equal(method.name, "bs3")
  check.equal(method.file, "tableaus/bs3.lua")
end)

check.case("the report", function()
  local report, keys = {}, {}
  for i, entry in ipairs(tableau.report(tableau.load "dop853")) do report[entry[1]], keys[i] = entry[2], entry[1] end
  check.equal(list(keys), "name family stages order declared_order embedded_order declared_embedded_order fsal "
    .. "declared_fsal max_residual real_stability_limit dense_order adaptive source")
  check.equal(list(report.embedded_order), "5 3")
  check.equal(report.max_residual < 1e-9, true)
end)

for _, entry in ipairs(host.list "tests/fail/tableau") do
  check.case("fails: " .. entry, function()
    local path = "tests/fail/tableau/" .. entry
    local expected = assert(host.read(path)):match "^%-%- expect: ([^\n]+)"
    check.contains(check.raises(tableau.load, path), expected)
  end)
end

check.done()
