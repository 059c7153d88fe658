-- expect: 2: error: ran for more than 50000000 instructions (an endless loop?)
::again:: goto again
