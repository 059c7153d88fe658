--- Step sequences: what the controller and the automatic first step do, against an implementation of its own in double
--- precision (Tsit5's first step on u' = 0.98 u equals OrdinaryDiffEq.jl's to the last bit).

local check = require "check"
local tool = require "witness.tool"

local LV <const>, VDP <const> = "models/lotka_volterra.lua", "models/van_der_pol.lua"

-- accepted, rejected, nfe, u(T), and how near u(T) is to come.  Where E of an early step is rounding noise (see below)
-- rejected is a range, and u(T) only as near as the tolerance makes it.
local SEQUENCES <const> = {
  { "tsit5", LV, 1e-6, 1e-3, 33, 2, 213, { 1.03375788544, 0.906370687745 } },
  { "tsit5", LV, 1e-8, 1e-8, 253, 0, 1521, { 1.02634478707, 0.909691062003 } },
  { "dp5", LV, 1e-6, 1e-3, 29, 7, 219, { 1.03981331562, 0.904763279738 } },
  { "dp5", LV, 1e-8, 1e-8, 206, 6, 1275 },
  { "bs3", LV, 1e-6, 1e-3, 101, 3, 315, { 1.02158280085, 0.912461519513 } },
  { "bs3", LV, 1e-8, 1e-8, 3591, 0, 10776 },
  { "vern7", LV, 1e-6, 1e-3, 30, 4, 343, { 1.02504096588, 0.909870866896 } },
  { "vern7", LV, 1e-8, 1e-8, 106, 3, 1093 },
  { "tsit5", VDP, 1e-6, 1e-3, 56, 1, 345, { 2.00394910396, -0.0864280318112 } },
  { "tsit5", VDP, 1e-8, 1e-8, 413, 0, 2481 },
  { "dp5", VDP, 1e-6, 1e-3, 51, 20, 429 },
  { "bs3", VDP, 1e-6, 1e-3, 168, 12, 543 },
}

for _, row in ipairs(SEQUENCES) do
  local method, model, atol, rtol, accepted, rejected, nfe, u = table.unpack(row)
  check.case(("%s, %s, atol %g, rtol %g"):format(method, model, atol, rtol), function()
    local r = tool.solve(model, { method = method, atol = atol, rtol = rtol })
    check.equal({ r.accepted, r.rejected, r.nfe }, { accepted, rejected, nfe })
    for i, x in ipairs(u or {}) do check.near(r.u[1][i], x, 1e-9) end
  end)
end

--- From (2, 0) with rtol = 1e-3 vern7's second step has E = 2e-13: a sum of cancelling terms of size 1e-13 each, so that
--- its digits are rounding, and E^(1/10) of it decides the third step.  Perturbing the coefficients by one unit in the
--- last place makes 6 to 9 rejections, exact arithmetic 6 (the same computation with 50 digits).
check.case("vern7, van der Pol, where rounding decides the third step", function()
  local r = tool.solve(VDP, { method = "vern7", atol = 1e-6, rtol = 1e-3, gradient = "u[1]", stats = true })
  check.equal(r.accepted, 48)
  check.equal(r.rejected >= 6 and r.rejected <= 9, true)
  check.equal(r.nfe, 3 + 10 * (r.accepted + r.rejected))
  check.near(r.first_h, 0.0004997501249, 1e-12)
  check.near(r.mesh[3] - r.mesh[2], 10 * r.first_h, 1e-12)         -- both steps before it are as exact as rounding allows
  check.near(r.u[1][1], 2.00804, 1e-4)
end)

check.case("the first steps", function()
  check.near(tool.solve(LV, { method = "tsit5", atol = 1e-6, rtol = 1e-3 }).first_h, 0.07760847432, 1e-11)
  check.near(tool.solve(LV, { method = "bs3", atol = 1e-6, rtol = 1e-3 }).first_h, 0.01412045127, 1e-11)
end)

-- Times printed by OrdinaryDiffEq.jl, whose controller takes powers in single precision: equal to 2e-6.
check.case("tsit5, u' = 0.98 u: all times", function()
  local r = tool.solve("tests/numeric/models/linear.lua", {
    method = "tsit5", params = { 0.98 }, u0 = { 1 }, atol = 1e-6, rtol = 1e-6, gradient = "u[1]", stats = true })
  check.equal(r.first_h, 0.028970819746309166)
  local times = { 0, 0.028970819746309166, 0.10049147151547619, 0.19458908698515082, 0.3071725081673423, 0.43945421453622546,
                  0.5883434923759523, 0.7524873357619015, 0.9293021330536031, 1 }
  check.equal(#r.mesh, #times)
  for i, t in ipairs(times) do check.near(r.mesh[i], t, 2e-6) end
  check.near(r.u[1][1], 2.664456243491331, 1e-14)
end)

check.done()
