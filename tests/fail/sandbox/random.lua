-- expect: 2: error: 'math.random' is not available in a model file
return math.random()
