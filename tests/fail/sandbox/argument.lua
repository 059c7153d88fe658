-- expect: 2: error: bad argument #1 to 'sin' (number expected, got string)
return math.sin("x")
