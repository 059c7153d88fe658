--- Patterns of small systems: their order and fill, and the code written out for them against the general one, bit by bit.

local backends = require "backends"
local check = require "check"
local host = require "host"
local lrnde = require "lrnde"
local sparsity = require "sparsity"

--- The pattern of rows of text, "x" where the Jacobian can differ from zero.
local function pattern(rows)
  return sparsity.new(#rows, function(i, j) return rows[i]:sub(j, j) == "x" end)
end

check.case("an arrow fills up if its tip is eliminated first, and not at all if last", function()
  local s = pattern { "xxxxx", "xx...", "x.x..", "x..x.", "x...x" }
  check.equal(s.order, { 2, 3, 4, 1, 5 })                        -- a row of the arrow is no worse than its tip when two are left
  check.equal({ s:entries() }, { 13, 13 })
  check.equal(s.flops, { lu = 4 + 2 * 4, lu_solve = 2 * 8 + 5, lu_solve_t = 2 * 8 + 5 })
end)

check.case("pivots come last whose diagonal has no part of the Jacobian", function()
  check.equal(pattern({ ".x", "xx" }).order, { 2, 1 })           -- van der Pol: 1/gamma is small beside h J
  check.equal(pattern({ "xxx", "xxx", ".x." }).order, { 1, 2, 3 })
end)

check.case("fill is known: a ring of four", function()
  check.equal({ pattern({ "xx.x", "xxx.", ".xxx", "x.xx" }):entries() }, { 12, 14 })
end)

check.case("equal patterns are one; what takes too many statements has none", function()
  check.equal(pattern({ "xx", ".x" }) == pattern({ "xx", ".x" }), true)
  check.equal(sparsity.get(pattern({ "xx", ".x" }).number) == pattern({ "xx", ".x" }), true)
  check.equal(sparsity.new(40, function() return true end), nil)
  assert(sparsity.new(400, function(i, j) return i == j end))
end)

-- A program that compares a pattern's functions with the general ones, over random matrices of the pattern in the order of its
-- rows, whose diagonal is large, not so large, and as the rest.  It prints how many numbers differ and how many tiles exchanged
-- rows.
local PROGRAM <const> = [[
#include "MODEL.c"
#include <stdio.h>
static unsigned long long seed = 1;
static double uniform(void)
{
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    return (double)(seed >> 11) * 0x1p-53 - 0.5;
}
enum { N = ROWS };
static const char given[] = "GIVEN"; /* column by column */
static int differ(const real *a, const real *b, int n) { int d = 0; for (int i = 0; i < n * T; i++) d += a[i] != b[i]; return d; }
int main(void)
{
    static real m[N * N * T], f[(N * N + N) * T], g[(N * N + N) * T], b[N * T], x[N * T], y[N * T];
    int exchanged = 0, wrong = 0;
    for (int trial = 0; trial < 300; trial++) {
        const double large = trial < 100 ? 10 : trial < 200 ? 0.6 : 0;
        for (int e = 0; e < N * N; e++)
            for (int l = 0; l < T; l++) m[e * T + l] = given[e] == 'x' ? uniform() + (e % (N + 1) == 0 ? large : 0) : 0;
        for (int i = 0; i < N * T; i++) b[i] = uniform();
        MODEL_lu1(m, f), lrnde_lu_f64(N, m, g);
        wrong += differ(f, g, N * N + N);
        int any = 0;
        for (int k = 0; k < N; k++) for (int l = 0; l < T; l++) any |= g[(N * N + k) * T + l] != k;
        exchanged += any;
        MODEL_lu1_solve(f, b, x), lrnde_lu_solve_f64(N, g, b, y);
        wrong += differ(x, y, N);
        MODEL_lu1_solve_t(f, b, x), lrnde_lu_solve_t_f64(N, g, b, y);
        wrong += differ(x, y, N);
    }
    printf("%d wrong, exchanged in %d\n", wrong, exchanged);
    return 0;
}
]]

local scratch <const> = check.folder()

--- The pattern of the systems of a step.
local function pattern_of(step)
  for _, v in pairs(step.plan.values) do
    if v.op == "lu" then return sparsity.get(v.attrs[1]) end
  end
end

for _, model in ipairs { "models/robertson.lua", "tests/numeric/models/hires.lua" } do
  check.case(model .. ": what partial pivoting gives, to the bit, whether it exchanges rows or not", function()
    local p = lrnde.build(host.root .. "/" .. model, { method = "rodas4" })
    local files = lrnde.generate(p, backends.carrier(), {})
    local s, given = pattern_of(p.forward.kernels.step), {}
    for c = 1, s.n do
      for r = 1, s.n do given[#given + 1] = s.given[r][c] and "x" or "." end
    end
    for name, text in pairs(files) do host.write(scratch .. "/" .. name, text) end
    host.write(scratch .. "/main.c", (PROGRAM:gsub("%u+", { MODEL = p.m.name, ROWS = s.n, GIVEN = table.concat(given) })))
    local compile = ("cc -std=c11 -O1 -march=native -ffp-contract=off -I%s/runtime -o %s/main %s/main.c -lm"):format(
      host.root, scratch, scratch)
    local text, status = check.run(("%s && %s/main"):format(compile, scratch))
    check.equal({ text:match "^0 wrong, exchanged in (%d+)\n$" and "equal" or text, status }, { "equal", 0 })
    local exchanged = tonumber(text:match "in (%d+)")
    assert(exchanged >= 100 and exchanged <= 200, text)          -- both ways were taken
    check.equal(p.forward.kernels.rev_step.parts.work, 0)        -- cotangents of the factors are scalars: no matrix is stored
  end)
end

check.case("--explain says how a step solves its systems", function()
  local function explain(options) return (check.run(("%s --explain %s"):format(check.tool "lrnde-gen", options))) end
  check.contains(explain(host.root .. "/models/robertson.lua"), "systems of 3 equations: 8 of 9 entries can differ from zero")
  check.contains(explain("--method rodas4 --set precision=f64 --set regularize=false " .. host.root .. "/tests/models/wide.lua"),
                 "systems of 72 equations: dense, 248832 operations to factorise, by LAPACK")
end)

check.run("rm -r " .. scratch)
check.done()
