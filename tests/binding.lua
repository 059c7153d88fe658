--- Tests of the module "ir": what is put into a graph comes out of it again, and errors are words.

local check = require "check"
local ir = require "ir"

check.case("ops and passes are those of the .def files, in order", function()
  check.equal(ir.ops[1].name, "const")
  check.equal(ir.ops.fma, { name = "fma", arity = 3, class = "MAP", flops = 2, doc = "x * y + z, rounded once" })
  check.equal(ir.ops[#ir.ops].name, "lu_solve_t")
  for _, op in ipairs(ir.ops) do check.equal(ir.ops[op.name], op) end
  check.equal(ir.passes[1].name, "fold")
  check.equal(ir.passes[#ir.passes].name, "dce")
end)

--- y = tanh(W x + b) / 2, per sample.
local function layer()
  local g = ir.graph()
  local w, b = g:input("W", "shared", { 2, 3 }), g:input("b", "shared", { 2 })
  local x = g:input("x", "sample", { 3 })
  local y = g:op("tanh", { g:op("add", { g:op("matvec", { w, x }), b }) })
  local half = g:op("mul", { y, g:const(0.5, "1/2") })
  g:name(y, "k1")
  g:output("y", half)
  g:output("first", g:op("index", { half }, { 1, 0 }))
  return g, { w = w, b = b, x = x, y = y, half = half }
end

check.case("a value round trip", function()
  local g, id = layer()
  check.equal(id.w, 0)
  check.equal(g:size(), 9)
  check.equal(g:value(id.w), { op = "input", kind = "shared", dims = { 2, 3 }, args = {}, attrs = { 0, 0 }, name = "W" })
  check.equal(g:value(id.y).name, "k1")
  check.equal(g:value(id.y).kind, "sample")
  check.equal(g:value(id.y).dims, { 2 })
  local number = g:value(g:value(id.half).args[2])
  check.equal({ number.op, number.number, number.note, number.dims }, { "const", 0.5, "1/2", {} })
  check.equal(g:value(g:outputs()[2].value).attrs, { 1, 0 })
  check.equal(g:inputs(), { id.w, id.b, id.x })
  check.equal(g:outputs()[1], { name = "y", value = id.half, accumulate = false })
  check.equal(g:verify(), true)
  check.contains(g:text(), "tanh")
  check.equal(g:count().op.tanh, 1)
end)

check.case("accumulated outputs", function()
  local g = ir.graph()
  local x = g:input("x", "sample", {})
  g:output("grad", g:op("batch_sum", { x }), true)
  check.equal(g:outputs()[1].accumulate, true)
  check.equal(g:eval({ x = { 1, 2, 4 } }, 3).grad.re, { 7.0 })
end)

local W <const>, B <const>, X <const> = { 1, 2, 3, -1, 0, 1 }, { 0.25, -0.5 }, { 0.1, 0.2, -0.3, 1, 0, -0.5 }

--- The layer by hand, row o of sample s.
local function by_hand(s, o)
  local z = B[o]
  for i = 1, 3 do z = z + W[3 * (o - 1) + i] * X[3 * (s - 1) + i] end
  return (math.exp(2 * z) - 1) / (math.exp(2 * z) + 1) / 2
end

check.case("eval: batch by size, row-major", function()
  local out = layer():eval({ W = W, b = B, x = X }, 2)
  check.equal(#out.y.re, 4)
  for s = 1, 2 do
    for o = 1, 2 do check.near(out.y.re[2 * (s - 1) + o], by_hand(s, o), 1e-15) end
    check.equal(out.first.re[s], out.y.re[2 * s])
  end
  check.equal(out.y.im, { 0.0, 0.0, 0.0, 0.0 })
  for i, terms in ipairs(out.y.terms) do check.equal(terms >= math.abs(out.y.re[i]), true) end
end)

check.case("eval: imaginary parts make the complex step", function()
  local im = layer():eval({ W = W, b = B, x = X }, 2, { b = { 1e-100, 0 } }).y.im
  check.near(im[1] / 1e-100, (1 - 4 * by_hand(1, 1) ^ 2) / 2, 1e-15)
  check.equal(im[2], 0.0)
end)

check.case("passes and extract give new graphs that compute the same", function()
  local g, id = layer()
  local inputs = { W = W, b = B, x = X }
  local expected = g:eval(inputs, 2).y
  for _, pass in ipairs(ir.passes) do
    g = g:pass(pass.name, { unroll_budget = 100 })
    local y = g:eval(inputs, 2).y
    for i = 1, 4 do check.near(y.re[i], expected.re[i], 64 * 2 ^ -52 * expected.terms[i]) end
  end
  local rest = layer():extract { [id.y] = "k1" }
  check.equal(rest:eval({ k1 = { 2, 4 } }, 1).y.re, { 1.0, 2.0 })
  check.equal(#rest:inputs(), 1)
end)

check.case("errors are words", function()
  local g, id = layer()
  check.equal(check.raises(g.op, g, "matvec", { id.w, id.b }), "matvec: matrix (2, 3) does not fit vector (2)")
  check.contains(check.raises(g.op, g, "tahn", { id.x }), "there is no op 'tahn'")
  check.contains(check.raises(g.op, g, "tanh", { 99 }), "tanh")
  check.contains(check.raises(g.op, g, "tanh", { 1.5 }), "integer")
  check.contains(check.raises(g.value, g, 99), "no value has this number")
  check.contains(check.raises(g.input, g, "z", "shard", {}), "invalid option 'shard'")
  check.contains(check.raises(g.pass, g, "fodl"), "fodl")
  check.contains(check.raises(g.extract, g, { [99] = "x" }), "value number = input name")
  check.contains(check.raises(g.eval, g, { W = W, b = B }, 2), "eval: there is no input 'x'")
  check.contains(check.raises(g.eval, g, { W = W, b = B, x = { 1 } }, 2), "eval: input 'x' has 1 numbers, not 6")
end)

check.case("5,000 values cost milliseconds", function()
  local start = os.clock()
  local g = ir.graph()
  local x = g:input("x", "sample", {})
  local y = x
  for _ = 1, 2500 do y = g:op("add", { g:op("mul", { y, x }), x }) end
  g:output("y", y)
  for id = 0, g:size() - 1 do g:value(id) end
  check.equal(g:size(), 5001)
  check.equal(os.clock() - start < 0.25, true)
end)

check.done()
