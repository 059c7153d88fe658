-- expect: 2: error: string.format: '%p' is not available here
return ("%d %5p"):format(1, {})
