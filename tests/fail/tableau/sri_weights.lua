-- expect: alpha: error: alpha and beta1 sum to 1, the other weights of a method to 0
return { family = "sri", order = 0, c0 = { 0 }, c1 = { 0 }, A0 = { {} }, B0 = { {} }, alpha = { "1/2" }, beta1 = { 1 } }
