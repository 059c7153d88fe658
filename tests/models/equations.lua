--- Equations that use every function of the language, time included; one parameter a number, others a list.
local L = require "lrnde"

return L.ode {
  name = "equations",
  state = { "x", "y", "z" },
  params = { rate = 0.7, w = { 0.3, -1.2, 0.5 } },
  u0 = { 1, 0, -1 },
  dynamics = function(u, t, p)
    local r = L.sqrt(1 + u.x^2 + u.y^2)
    local near = L.where(L.lt(u.x, u.y), u.x, p.rate*u.z)
    return {
      x = p.w[1]*L.sin(3*t)*u.y - L.max(u.z, 0.1*u.x) / r + near,
      y = L.tanh(u.x) - L.log(r)*p.w[2] + L.exp(-u.y^2)*L.cos(t*u.z) + L.sum(p.w*u)^3,
      z = L.abs(u.y)^1.5 + L.min(u.x, p.rate) - L.sigmoid(u.z)*p.w[3] + L.softplus(u.x*u.y) + 1 / (1 + L.abs(u.z)),
    }
  end,
  output = function(u) return { u = u, energy = L.sum(u*u), speed = L.concat(u.x - u.y, L.log1p(u.z^2)) } end,
  solver = { method = "tsit5", tspan = { 0, 1 } },
}
