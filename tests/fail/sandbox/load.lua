-- expect: 2: error: 'load' is not available in a model file
return load "return os"
