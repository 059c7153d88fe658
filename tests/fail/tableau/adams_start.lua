-- expect: start: error: no 'bs' in tableaus/; did you mean 'bs3'?
return { family = "adams", order = 3, embedded_order = 2, start = "bs" }
