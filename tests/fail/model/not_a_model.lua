-- expect: error
return { name = "fails" }
