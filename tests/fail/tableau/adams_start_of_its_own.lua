-- expect: start: error: vcab3 needs a start itself
return { family = "adams", order = 3, embedded_order = 2, start = "vcab3" }
