-- expect: error: must return L.ode { ... }
return { name = "fails" }
