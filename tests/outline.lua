--- Outlining: loops that differ in names alone share a function, others stay where they are.

local check = require "check"
local outline = require "outline"

local kinds <const> = { u = "read", k1 = "read", w = "read", z = "written", p7 = "written", total = "sum", h_r = "scalar", lanes = "count",
                        v1 = "local", v9 = "local", a5p = "read" }
local function kind(word) return kinds[word] end

local function texts(place) return table.concat(place:lines(), "\n") end

check.case("loops that differ in names alone become one function", function()
  local loops = outline.new "m"
  local a = loops:add({ "const real v1 = f(h_r, u[i]);", "z[i] = v1 + u[i];" }, kind)
  local b = loops:add({ "const real v9 = f(h_r, k1[i]);", "p7[i] = v9 + k1[i];" }, kind, { { "p7", "partial + 7" } })
  check.equal(texts(a), "m_loop1(h_r, u, z);")
  check.equal(texts(b), "m_loop1(h_r, k1, partial + 7);")
  check.equal(loops:functions(), { "LRNDE_ONCE static void m_loop1(real s1, const real *restrict x1, real *restrict y1)\n{\n"
                                   .. "    const real v1 = f(s1, x1[i]);\n    y1[i] = v1 + x1[i];\n}\n" })
end)

check.case("a loop that occurs once stays, with the pointers made for it", function()
  local loops = outline.new "m"
  local a = loops:add({ "p7[i] += u[i];" }, kind, { { "p7", "partial + 7" } })
  check.equal(texts(a), "real *restrict p7 = partial + 7;\np7[i] += u[i];")
  check.equal(loops:functions(), {})
end)

check.case("loops that differ in a number, an operand read twice or the kind of an operand are two", function()
  local loops = outline.new "m"
  local places = {
    loops:add({ "z[i] = u[i] + k1[i] * 0x1.a5p-3;" }, kind), loops:add({ "z[i] = u[i] + k1[i] * 0x1.a6p-3;" }, kind),
    loops:add({ "z[i] = u[i] + u[i] * 0x1.a5p-3;" }, kind), loops:add({ "z[i] = u[i] + z[i] * 0x1.a5p-3;" }, kind),
    loops:add({ "z[i] = u[i] + total[i] * 0x1.a5p-3;" }, kind), loops:add({ "z[i] = u[i] + a5p[i] * 0x1.a5p-3;" }, kind),
  }
  check.equal(texts(places[1]), "m_loop1(z, u, k1);")
  check.equal(texts(places[6]), "m_loop1(z, u, a5p);")            -- the name, not the digits of the number
  for i = 2, 5 do check.equal(#places[i]:lines(), 1) check.equal(texts(places[i]):match "m_loop", nil) end
  check.equal(#loops:functions(), 1)
  check.contains(loops:functions()[1], "0x1.a5p-3;")
end)

check.done()
