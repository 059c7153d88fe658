-- expect: family: error: no 'erq' in language/families/; did you mean 'erk'?
return {
  family = "erq", order = 2,
  c = { 0, 1 }, A = { {}, { 1 } }, b = { "1/2", "1/2" },
}
