-- expect: order: error: is 4; there are Adams methods of order 2 to 3
return { family = "adams", order = 4, embedded_order = 3, start = "bs3" }
