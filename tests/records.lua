--- What tools keep of a generated model: it is generated again when something has changed that it was made from, and only then.

local check = require "check"

local FOLDER <const> = check.folder() .. "/of $all # kinds"

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
  local root = check.run "pwd":match "[^\n]+"
  settle("gen", ("#!/bin/sh\necho run >>'%s'\n%s/%s \"$@\"\n%s\n"):format(path "runs", root, check.tool "lrnde-gen", after or ""))
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

check.case("warnings are repeated", function()
  for runs = 1, 0, -1 do
    local text, n = solve("tests/models/stochastic.lua", 1)          -- which wants an input besides
    check.equal(n, runs)
    check.equal(select(2, text:gsub("warning: the loss looks at", "")), 1)
  end
end)

check.case("a file that changes while it is read is read again", function()
  count_runs(("touch '%s'"):format(path "model.lua"))
  settle("model.lua", MODEL:format(3))
  for _ = 1, 2 do check.equal(select(2, solve(("'%s'"):format(path "model.lua"))), 1) end
  count_runs()
end)

check.case("a record that is none is of no use, and no harm", function()
  settle("model.lua", MODEL:format(4))
  local options = ("'%s'"):format(path "model.lua")
  local text = solve(options)
  check.run(("for f in '%s'/*.record; do head -c 100 \"$f\" >'%s'; cp '%s' \"$f\"; done"):format(path "cache", path "cut", path "cut"))
  local again, n = solve(options)
  check.equal({ again, n }, { text, 1 })
end)

check.case("make takes --depfile for a rule", function()
  settle("model.lua", MODEL:format(1))
  check.run(("%s --out '%s' --depfile '%s' '%s'"):format(check.tool "lrnde-gen", path "out", path "depfile", path "model.lua"))
  write("Makefile", read(path "depfile") .. "\t@echo made\n")
  local function make() return check.run(("make -f '%s'"):format(path "Makefile")) end
  check.equal(make():find "made", nil)
  check.run(("touch -d 'now + 1 hour' '%s'"):format(path "model.lua"))
  check.contains(make(), "made")
end)

check.run(("rm -r '%s'"):format(FOLDER))
check.done()
