-- expect: 2: error: attempt to compare two table values
return {} < {}
