--- Images and labels in IDX files (runtime/io/idx.c): x, the pixels of a sample, and its class number.

return {
  doc = "images and class numbers in IDX files, plain or gzipped",
  options = { x = "string?", label = "string?", size = "integer?", classes = "integer?" },
  inputs = function(o, columns)
    return { { name = "x", size = o.size or 784 }, o.label and columns.label(o.classes or 10) or nil }
  end,
}
