--- Tests of the sandbox: its limits, what a model file may say, and that every error names the file and the line.
--
-- The files of tests/fail/sandbox/ say in their first line how they must fail.

local check = require "check"
local host = require "host"

local FOLDER <const> = host.root .. "/tests/fail/sandbox/"

for _, name in ipairs(host.list(FOLDER)) do
  check.case("refused: " .. name, function()
    local path = FOLDER .. name
    local expected = host.read(path):match "^%-%- expect: ([^\n]*)\n"
    local message = check.raises(host.sandbox, path, host.safe_env())
    check.equal(message:sub(1, #path + 1 + #expected), path .. ":" .. expected)
    check.equal(message:find "stack traceback", nil)
  end)
end

local folder = check.folder()

--- Writes text as a file; its path.
local function file(text, name)
  local path = folder .. "/" .. (name or "m.lua")
  host.write(path, text)
  return path
end

local function run(text, env, limits) return host.sandbox(file(text), env or host.safe_env(), limits) end

--- The message of running text, the folder taken off.
local function message(text, env, limits)
  local full = check.raises(run, text, env, limits)
  check.equal(full:sub(1, #folder), folder)
  return full:sub(#folder + 2)
end

check.case("a file returns its value; what it assigns stays in its environment", function()
  local env = host.safe_env()
  check.equal(run("x = 3 return { x, y = x + 1 }", env), { 3, y = 4 })
  check.equal(env.x, 3)
  check.equal(rawget(_G, "x"), nil)
end)

check.case("the safe functions", function()
  check.equal(run [[return {
    math.sqrt(4), ("a%s"):format(1), ("%s %s"):format({}, print), ("abc"):find("b", 1), ("a.c"):find(".", 1, false),
    select("#", 1, 2), tonumber "3", tostring {}, tostring(nil), type(1), #table.pack(table.unpack { 1, 2 }),
    ("x"):rep(3), ("ab"):upper():reverse(),
  }]], { 2.0, "a1", "table function", 2, 2, 2, 3, "table", "nil", "number", 2, "xxx", "BA" })
end)

check.case("pairs is ordered", function()
  check.equal(run [[local s = "" for k in pairs { b = 1, a = 2, 7, 8, [-1] = 9 } do s = s .. k end return s]], "-112ab")
end)

check.case("our own code keeps the whole string library, also when a model calls it", function()
  local env = host.safe_env()
  env.ours = function(s) return (s:gsub("%d", "#")) end
  check.equal(run([[return ours "a1b2"]], env), "a#b#")
end)

check.case("a bare table is a data file's environment", function()
  check.equal(message("return { c = math.pi }", {}), "m.lua:1: error: 'math' is not available in a data file")
end)

check.case("smaller limits are said with their number", function()
  check.equal(message("while true do end", nil, { instructions = 1000 }),
    "m.lua:1: error: ran for more than 1000 instructions (an endless loop?)")
  check.equal(message("\nlocal s = ('x'):rep(1e7) return s", nil, { memory = 1 << 20 }),
    "m.lua:2: error: needs more than 1 MiB of memory")
  check.equal(message("local s = ('x'):rep(1e7) while true do local t = s .. 'y' end", nil, { seconds = 0.05 }),
    "m.lua:1: error: ran for more than 0.05 s")
end)

check.case("garbage is not held against a file", function()
  check.equal(run("local n = 0 for i = 1, 50 do n = n + #('x'):rep(1e6) end return n", nil, { memory = 4 << 20 }), 50000000)
end)

check.case("pcall cannot swallow a limit", function()
  local env = host.safe_env()
  env.pcall = pcall
  check.contains(message("for i = 1, 3 do pcall(function() while true do end end) end return 1", env, { instructions = 1e5 }),
    "ran for more than 100000 instructions")
  check.contains(message("pcall(function() return ('x'):rep(1e9) end) return 1", env), "needs more than 256 MiB")
end)

check.case("functions of the file run under the limits later too", function()
  local loop, add = table.unpack(run [[
    return {
      function() while true do end end,
      function(a, b) return a + b, "and more" end,
    }]])
  check.equal({ host.guarded(add, 1, 2) }, { 3, "and more" })
  check.contains(check.raises(host.guarded, loop), "m.lua:2: error: ran for more than 50000000 instructions")
  check.equal(check.raises(host.guarded, add, 1),
    folder .. "/m.lua:3: error: attempt to perform arithmetic on a nil value (local 'b')")
  check.equal({ host.guarded(add, 2, 2) }, { 4, "and more" })
end)

check.case("calls nest inside the limits of the outermost", function()
  local env = host.safe_env()
  env.guarded = host.guarded
  check.contains(message("for i = 1, 1e9 do guarded(function() for j = 1, 1000 do end end) end", env, { instructions = 1e6 }),
    "ran for more than 1000000 instructions")
end)

check.case("the limits end with the call", function()
  run "return 1"
  local n = 0
  for i = 1, 60000000 do n = i end
  check.equal(n, 60000000)
end)

-- Whose error it is: our code speaks to the user by host.fail, by error(text, 0), or by error(text, 2) at his line.
local ours = host.safe_env()
ours.fail = function() host.fail("too stiff") end
ours.fail_elsewhere = function() host.fail("tableaus/x.lua:order: error: is 4") end
ours.raise_0 = function() error("a matrix does not fit", 0) end
ours.raise_2 = function() error("a word is wanted", 2) end
ours.bug = function() return nil .. "x" end

check.case("host.fail and error(text, 0) are told at the user's line", function()
  check.equal(message("\nfail()", ours), "m.lua:2: error: too stiff")
  check.equal(message("\n\nraise_0()", ours), "m.lua:3: error: a matrix does not fit")
  check.equal(message("local function f()\nraise_2()\nend f()", ours), "m.lua:2: error: a word is wanted")
end)

check.case("a text that says where is left alone", function()
  check.equal(check.raises(run, "fail_elsewhere()", ours), "tableaus/x.lua:order: error: is 4")
end)

check.case("a bug of ours stays one, with its traceback", function()
  local text = check.raises(run, "bug()", ours)
  check.contains(text, "attempt to concatenate a nil value")
  check.contains(text, "stack traceback:")
end)

check.case("a long path is not cut", function()
  local path = file("\nlocal = 3", ("long/"):rep(30) .. "m.lua")
  check.equal(check.raises(host.sandbox, path, {}), path .. ":2: error: <name> expected near '='")
  file("\nlocal t = nil .. 'x'", ("long/"):rep(30) .. "m.lua")
  check.equal(check.raises(host.sandbox, path, {}), path .. ":2: error: attempt to concatenate a nil value")
end)

check.case("what cannot be loaded", function()
  check.equal(check.raises(host.sandbox, "/nowhere.lua", {}), "error: /nowhere.lua: No such file or directory")
  check.equal(check.raises(run, string.dump(function() end), {}),
    folder .. "/m.lua: error: attempt to load a binary chunk (mode is 't')")
end)

check.run("rm -r " .. folder)
check.done()
