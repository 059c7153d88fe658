-- expect: not_a_table.lua: error: must return a table, not a string
return "tsit5"
