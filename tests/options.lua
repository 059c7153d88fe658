--- Tests of lrnde-gen's command line and exit statuses. The generator behind it is a fixture that prints its options.

local check = require "check"
local host = require "host"

local GEN <const> = ("LRNDE_HOME=%s/tests/fixtures/echo %s "):format(host.root, check.tool "lrnde-gen")

--- The options that a command line makes, as the fixture prints them, by name.
local function options(arguments, expected_status)
  local text, status = check.run(GEN .. arguments)
  check.equal(status, expected_status or 0)
  local found = {}
  for name, shown in text:gmatch "([%w_]+) ([^\n]*)\n" do found[name] = shown end
  return found
end

check.case("nothing given: flags are false, lists empty, the rest absent", function()
  check.equal(options "", { check = "false", explain = "false", json = "false", help = "false", version = "false",
    set = "{}", command_line = "" })
end)

check.case("every way to give an argument", function()
  for _, arguments in ipairs { "-o d", "-od", "--out d", "--out=d" } do
    check.equal(options(arguments).out, "d")
  end
  local all = options "a.lua --target c --tile 128 --dump-after fold --unroll-budget=9 --check --json --tableau x --list y"
  check.equal({ all.model, all.target, all.tile, all.dump_after, all.unroll_budget, all.check, all.json, all.tableau, all.list },
    { "a.lua", "c", "128", "fold", "9", "true", "true", "x", "y" })
  check.equal(options("-- -o").model, "-o")
  check.equal(options("-").model, "-")
end)

check.case("what main returns is the exit status", function() options("--seed 3", 3) end)

check.case("--set keeps its order, its value may hold anything", function()
  check.equal(options("--set a.b=1 --set 'c={ 1, 2 }' --set d=e=f --set g=").set, "{{a.b,1},{c,{ 1, 2 }},{d,e=f},{g,}}")
end)

check.case("command_line: what changes the text, sorted, the last of equals, quoted, no folder", function()
  check.equal(options("-o d m.lua --json --tile 64 --set b=1 --method /home/x/bs4.lua --seed 0 --set a=2 --set b=3").command_line,
    "--method bs4.lua --set a=2 --set b=3 --tile 64")
  check.equal(options([[--set "a=it's { 1 }"]]).command_line, [[--set 'a=it'\''s { 1 }']])
end)

check.case("--help lists every option, --version the version", function()
  local text, status = check.run(GEN .. "--help")
  check.equal(status, 0)
  for line in io.lines(host.root .. "/generator/host/options.def") do
    local name = line:match '^OPTION%("([^"]+)"'
    if name then check.contains(text, "--" .. name) end
  end
  check.equal(check.run(GEN .. "-V"), "lrnde-gen " .. host.version .. "\n")
end)

check.case("--list models: a sentence of each", function()
  local text = check.run(check.tool "lrnde-gen" .. " --list models")
  for _, entry in ipairs(host.list(host.root .. "/models")) do
    local name = entry:match "^(.*)%.lua$"
    if name then check.equal(("\n" .. text):match("\n" .. name .. " +[^\n]*%.\n") ~= nil, true) end
  end
end)

for arguments, message in pairs {
  ["--metod bs3"] = "lrnde%-gen: error: unknown option '%-%-metod'; did you mean '%-%-method'%?",
  ["--tabelau=x"] = "unknown option '%-%-tabelau'; did you mean '%-%-tableau'%?",
  ["--unroll 3"] = "did you mean '%-%-unroll%-budget'%?",
  ["--xyzzy"] = "unknown option '%-%-xyzzy'; %-%-help lists the options",
  ["-q"] = "unknown option '%-q'",
  ["--out"] = "%-%-out needs an argument: DIR",
  ["--json=1"] = "%-%-json takes no argument",
  ["--tile x"] = "%-%-tile: 'x' is not a whole number",
  ["--tile -1"] = "%-%-tile: '%-1' is not a whole number",
  ["--seed 99999999999999999999"] = "is not a whole number",
  ["--set atol"] = "%-%-set: 'atol' is not KEY=VALUE",
  ["--set =1"] = "%-%-set: '=1' is not KEY=VALUE",
  ["a.lua b.lua"] = "one model file at a time, not 'a%.lua' and 'b%.lua'",
} do
  check.case("refused: " .. arguments, function() check.fails(GEN .. arguments, 1, message .. "[^\n]*\n$") end)
end

check.case("a user error is printed as it is, a bug with a traceback", function()
  check.fails(GEN .. "--eval fail", 1, "^the%.lua:3: error: as asked\n$")
  check.fails(GEN .. "--eval crash", 2, "^lrnde%-gen: internal error: .*lrnde%.lua:%d+: attempt .*stack traceback:")
end)

check.case("a root without a generator is said", function()
  check.fails("LRNDE_HOME=/nowhere " .. check.tool "lrnde-gen", 1, "^error: LRNDE_HOME: /nowhere has no generator/lrnde%.lua\n$")
end)

check.done()
