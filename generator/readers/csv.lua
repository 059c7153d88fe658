--- Columns of a CSV file (runtime/io/csv.c): features x or context, series over the save times, and a class number.

local contract = require "language.contract"

return {
  doc = "columns of a CSV file: features, series, constants, class numbers",
  options = { id = "string?", t = "string?", series = "table?", context = "table?", x = "string|table?", label = "string?",
              classes = "integer?", split = "table?" },
  inputs = function(o, columns)
    local list = {}
    columns.add(list, o.series, "series", true)
    columns.add(list, o.context, "context", false)
    if o.x then columns.add(list, { x = o.x }, "L.csv", false) end
    if o.label then list[#list + 1] = columns.label(o.classes or 2) end
    if o.split then contract.options("csv.split", o.split, { test = "number" }) end
    return list
  end,
}
