-- expect: embedded_order: error: declared 3, but the order conditions hold to 2
return { family = "adams", order = 3, embedded_order = 3, start = "bs3" }
