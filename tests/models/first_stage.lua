--- A stochastic equation whose drift at t = at has parameters of its own, `first`, everywhere else `rest`: with at = the start
--- of a step, those of its first stage.  --set additive=true makes the noise additive.
local L = require "lrnde"

local additive = L.option("additive", false)

return L.sde {
  name = "first_stage", precision = "f64",
  data = L.csv { "none.csv", id = "id", t = "t", series = { u = { "x", "y" } }, context = { drive = { "a", "b" } } },
  state = { "x", "y" },
  params = { at = -1, first = { 0.3, -0.7, 0.2, 0.5 }, rest = { 0.3, -0.7, 0.2, 0.5 }, noise = { 0.4, 0.1 } },
  context = function(d) return { drive = d.drive } end,
  u0 = function(d) return d.u:first() end,
  drift = function(u, t, p, x)
    local a = L.where(L.lt(L.abs(t - p.at), 1e-12), p.first, p.rest)
    return { a[1]*L.sin(u.y) + a[2]*u.x + x.drive[1], a[3]*t - a[4]*u.x*u.y }
  end,
  diffusion = function(u, t, p, x)
    return additive and p.noise*(1 + t)*x.drive or { p.noise[1]*L.cos(u.x), p.noise[2]*u.y*u.x + 0.2 }
  end,
  saveat = "data",
  output = function(u) return { y = u } end,
  loss = L.mse { "y", data = "u" },
  solver = { method = "sosri", tspan = "data" },
  regularize = { gradient = "total", coefficient = 5 },
  train = { optimizer = L.adam { lr = 1e-2 }, batch = "all", steps = 10 },
}
