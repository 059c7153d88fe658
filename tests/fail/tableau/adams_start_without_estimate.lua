-- expect: start: error: rk4 will not do: its last stage must be f(t + h, u1), its error estimate one vector
return { family = "adams", order = 3, embedded_order = 2, start = "rk4" }
