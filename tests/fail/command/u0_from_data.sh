# expect: digits computes its initial state from data; --input gives them
refused $SOLVE $DIGITS
