--- What tools keep of a generated model: it is generated again when something has changed that it was made from, and only then.

local check = require "check"

local ROOT <const>, HERE <const> = check.folder(), check.run "pwd":match "[^\n]+"
local FOLDER <const> = ROOT .. "/of $all # kinds: 100 %"

local MODEL <const> = [[
local L = require "lrnde"
return L.ode { name = "decay", precision = "f64", state = 1, u0 = { %d }, dynamics = function(u) return -u end,
  solver = { tspan = { 0, 1 }, atol = 1e-6, rtol = 1e-6 } }]]

local function path(name) return ("%s/%s"):format(FOLDER, name) end

local function write(name, text)
  local file <close> = assert(io.open(path(name), "w"))
  file:write(text)
end

local function read(name)
  local file <close> = assert(io.open(name))
  return file:read "a"
end

--- A file that the next run may take for one that is not going to change.
local function settle(name, text)
  write(name, text)
  check.run "sleep 0.1"
end

--- Runs lrnde-solve, which ends with a status, 0 if none is given; what it prints, and how often the generator was run for that.
local function solve(options, expected)
  write("runs", "")
  local text, status = check.run(("CC=tests/quick_cc.sh LRNDE_CACHE='%s' LRNDE_GEN='%s' %s %s"):format(path "cache", path "gen",
    check.tool "lrnde-solve", options))
  if status ~= (expected or 0) then error(text, 2) end
  return text, select(2, read(path "runs"):gsub("run", ""))
end

--- A generator that counts; `after` is what its script does at the end.
local function count_runs(after)
  settle("gen", ("#!/bin/sh\necho run >>'%s'\n%s/%s \"$@\"\n%s\n"):format(path "runs", HERE, check.tool "lrnde-gen", after or ""))
  check.run(("chmod +x '%s'; sleep 0.1"):format(path "gen"))
end

check.run(("mkdir '%s'"):format(FOLDER))
count_runs()

check.case("a model is generated when it, or a tableau, has changed", function()
  local options = ("--method '%s' '%s'"):format(path "method.lua", path "model.lua")
  write("method.lua", read "tableaus/bs3.lua")
  settle("model.lua", MODEL:format(1))
  local function expect(runs, changed, before)
    local text, n = solve(options)
    check.equal(n, runs)
    if before then check.equal(text ~= before, changed) end
    return text
  end
  local text = expect(1)
  expect(0, false, text)
  settle("model.lua", MODEL:format(2))                       -- of the same size
  text = expect(1, true, text)
  expect(0, false, text)
  settle("method.lua", read "tableaus/dp5.lua")
  text = expect(1, true, text)
  expect(0, false, text)
  check.run(("rm '%s'/*.so"):format(path "cache"))           -- nothing to compile is left
  expect(1, false, text)
  expect(0, false, text)
end)

check.case("other options are other models", function()
  settle("model.lua", MODEL:format(1))
  for _, options in ipairs { "", "--device cpu ", "--set precision=f32 ", "--method dp5 ", "--set solver.rtol=1e-3 " } do
    for runs = 1, 0, -1 do
      check.equal({ options, select(2, solve(("%s'%s'"):format(options, path "model.lua"))) }, { options, runs })
    end
  end
end)

check.case("warnings are repeated, once", function()
  local function expect(runs)
    local text, n = solve("tests/models/stochastic.lua", 1)          -- which wants an input besides
    check.equal(n, runs)
    check.equal(select(2, text:gsub("warning: the loss looks at", "")), 1)
  end
  expect(1)
  expect(0)
  check.run(("rm '%s'/stochastic*.so"):format(path "cache"))
  expect(1)
end)

check.case("a file that changes while it is read is read again", function()
  count_runs(("touch '%s'"):format(path "model.lua"))
  settle("model.lua", MODEL:format(3))
  for _ = 1, 2 do check.equal(select(2, solve(("'%s'"):format(path "model.lua"))), 1) end
  count_runs()
end)

check.case("another generator is another, whatever its name", function()
  settle("model.lua", MODEL:format(4))
  local options = ("'%s'"):format(path "model.lua")
  local text = solve(options)
  settle("gen", ("#!/bin/sh\necho run >>'%s'\n%s/%s --set u0={5} \"$@\"\n"):format(path "runs", HERE, check.tool "lrnde-gen"))
  local other, n = solve(options)
  check.equal({ other ~= text, n }, { true, 1 })
  count_runs()
end)

check.case("a record that was cut is of no use, and no harm", function()
  local options = ("'%s'"):format(path "model.lua")
  for u0, bytes in ipairs { 20, 100, "$(head -n 1 \"$f\" | wc -c)", "$(head -n 9 \"$f\" | wc -c)", "-4" } do
    settle("model.lua", MODEL:format(10 + u0))
    local text = solve(options)
    check.run(("for f in '%s'/*.record; do head -c %s \"$f\" >'%s'; cp '%s' \"$f\"; done"):format(path "cache", bytes, path "cut",
      path "cut"))
    local again, n = solve(options)
    check.equal({ bytes, again, n }, { bytes, text, 1 })
    check.equal(select(2, solve(options)), 0)
  end
end)

check.case("a shared object has the name of what it was made from", function()
  settle("model.lua", MODEL:format(4))
  local options = ("'%s'"):format(path "model.lua")
  local text = solve(options)
  count_runs(("cp '%s' '%s'"):format(path "new.lua", path "model.lua"))       -- the model is another when it is next generated
  settle("model.lua", MODEL:format(5))
  write("new.lua", MODEL:format(4))
  local other = solve(options)
  check.equal(other ~= text, true)
  check.equal(solve(options), text)
  count_runs()
  check.equal(solve(options), text)
end)

check.case("make takes --depfile for rules", function()
  local name = "all $ of # them: 100 %.lua"
  local function makefile(method)
    write("Makefile", ("-include depfile\nout/decay.c:\n\t@%s/%s %s --out out --depfile depfile '%s' && echo made\n"):format(HERE,
      check.tool "lrnde-gen", method, name:gsub("%$", "$$")))
  end
  local function expect(made)
    check.run "sleep 0.1"
    check.equal(check.run(("unset MAKEFLAGS MAKELEVEL; cd '%s' && make"):format(FOLDER)) == "made\n", made)
  end
  makefile "--method ./method.lua"
  settle(name, MODEL:format(1))
  for _, change in ipairs { "true", ("touch '%s'"):format(name), "touch method.lua" } do
    check.run(("cd '%s' && %s"):format(FOLDER, change))
    expect(true)
    expect(false)
  end
  makefile ""
  check.run(("rm '%s'"):format(path "method.lua"))                            -- which the depfile still has
  expect(true)
  expect(false)
  check.equal(select(2, check.run(check.tool "lrnde-gen" .. " --check --depfile x models/spiral.lua")), 1)
end)

check.run(("rm -r '%s'"):format(ROOT))
check.done()
