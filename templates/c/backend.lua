--- Portable C11, the reference backend: how ops, numbers, loads and declarations are spelled.

local host = require "host"

local c = { name = "c", extension = "c", doc = "C11 for any CPU; large matrix products go to BLAS" }

c.files = { { extension = ".h", template = "model.h.in" }, { extension = ".c", template = "model.c.in" } }

--- The functions every generated file carries.
function c.math()
  local function text(name) return assert(host.read(("%s/templates/c/%s.h"):format(host.root, name))) end
  return text "math" .. "\n" .. text "products"
end

c.reserved = { "a", "T", "i", "j", "l", "e", "tile", "tile0", "tile1", "worker", "work", "partial", "sums", "real",
               "double", "float", "int", "const", "restrict", "static", "for", "if", "else", "return", "short", "long", "auto",
               "register", "signed", "unsigned", "char", "void", "do", "while", "switch", "case", "break", "continue", "goto",
               "struct", "union", "enum", "inline", "volatile", "extern", "typedef", "default", "sizeof", "e0", "e1", "w", "n",
               "y0", "y1", "xs", "ys", "j0", "j1", "jn", "yn", "gamma", "index", "div", "exp", "log", "sin", "cos", "tanh", "sqrt", "pow" }

-- Integers of the code around a block that the block may read.
c.counts = { "lanes" }

-- One line an op: %1 %2 %3 are its operands, R the suffix of the precision computed in.
c.spell = {
  copy    = "%1",
  spread  = "%1",
  expand  = "%1",
  stop    = "%1",
  add     = "%1 + %2",
  sub     = "%1 - %2",
  mul     = "%1 * %2",
  div     = "%1 / %2",
  neg     = "-%1",
  fma     = "lrnde_fma_R(%1, %2, %3)",
  sqrt    = "lrnde_sqrt_R(%1)",
  exp     = "lrnde_exp_R(%1)",
  log     = "lrnde_log_R(%1)",
  log1p   = "lrnde_log1p_R(%1)",
  sin     = "lrnde_sin_R(%1)",
  cos     = "lrnde_cos_R(%1)",
  tanh    = "lrnde_tanh_R(%1)",
  sigmoid = "lrnde_sigmoid_R(%1)",
  pow     = "lrnde_pow_R(%1, %2)",
  abs     = "lrnde_abs_R(%1)",
  sign    = "lrnde_sign_R(%1)",
  max     = "(%1 >= %2 ? %1 : %2)",
  min     = "(%1 <= %2 ? %1 : %2)",
  lt      = "(%1 < %2 ? 1 : 0)",
  le      = "(%1 <= %2 ? 1 : 0)",
  eq      = "(%1 == %2 ? 1 : 0)",
  select  = "(%1 != 0 ? %2 : %3)",
}

--- What depends on the model: its precision, "f32" or "f64", the samples of a tile; the suffix of the matrix library's products
-- and the elements of a matrix from which a product is a call of it, and an outer product too if the library accumulates in
-- double; else those from which outer products go in blocks.
function c.set_model(m)
  c.precision, c.tile = m.precision, m.tile
  c.double_sums = m.precision == "f32" and m.accumulate == "double"
  c.gemm = c.double_sums and "f32_d" or m.precision
  c.product_size, c.outer_size = m.product_size, m.outer_size
  c.gathers = m.gathers
end

function c.op(name, args, kind)
  local suffix = kind == "double" and "f64" or c.precision
  local text = c.spell[name]:gsub("_R%(", "_" .. suffix .. "(")
  return (text:gsub("%%(%d)", function(i) return args[tonumber(i)] end))
end

--- A double literal, exact.
function c.double(x)
  if x == math.floor(x) and math.abs(x) < 1e6 then return ("%s%d.0%s"):format(x < 0 and "(" or "", x, x < 0 and ")" or "") end
  return (x < 0 and "(%a)" or "%a"):format(x)
end

--- A literal in the model's precision, rounded once.
function c.number(x)
  if c.precision == "f64" then return c.double(x) end
  local rounded = string.unpack("f", string.pack("f", x))
  if rounded - rounded ~= 0 then error(("the constant %g is too large for %s"):format(x, c.precision), 0) end
  local text = c.double(rounded)
  return text:sub(-1) == ")" and text:sub(1, -2) .. "f)" or text .. "f"
end

--- The variable of a lane that a reduction over the features is kept in.
function c.lane(name) return name .. "[l]" end

--- A per-sample element: row (plus the loop's feature i if `loops`) of lane l; array: the plan's, if it is one.
function c.load(base, row, loops, array)
  if array and array.lane then return "(real)" .. c.lane(base) end
  if loops then return row == 0 and ("%s[i * T + l]"):format(base) or ("%s[(%d + i) * T + l]"):format(base, row) end
  if row == 0 then return ("%s[l]"):format(base) end
  return row == 1 and ("%s[T + l]"):format(base) or ("%s[%s * T + l]"):format(base, row)
end

--- An element of a shared vector: offset (plus the loop's feature i if `loops`).
function c.shared_load(base, offset, loops)
  if not loops then return ("%s[%d]"):format(base, offset) end
  return offset == 0 and ("%s[i]"):format(base) or ("%s[%d + i]"):format(base, offset)
end
function c.shared_element(base, i) return ("(double)%s[%d]"):format(base, i) end

return c
