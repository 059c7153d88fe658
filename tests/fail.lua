--- Bad input: every case must end with exit status 1 and one line that says where and what, and must write nothing.
--
-- tests/fail/model/     model files given to lrnde-gen.  The first comment is how the message begins, but for the file's
--                       name; a second one, "options: ...", is what else stands on the command line
-- tests/fail/command/   shell scripts that end in the command to be refused, run in a folder of their own with
--                       $GEN $SOLVE $TRAIN   the tools          $MODELS   the shipped models
--                       $DIGITS              a small model      data/     its data, plain IDX files
--                       trained [OPTION...]  a short training run of $DIGITS into run/
--                       refused COMMAND...   runs the command and compares the files before and after
-- The other folders of tests/fail/ belong to tests/tableau.lua, tests/sandbox.lua, test_cli.c, test_data.c and test_io.c.

local check = require "check"
local host = require "host"

local write_digits = dofile(host.root .. "/tests/fixtures/digits_data.lua")

local FAIL <const> = host.root .. "/tests/fail/"
local scratch = check.folder()

-- The message of a command that was refused as it should be, the name of the file it is about taken off.
local function refusal(command, file)
  local text, status = check.run(command)
  if status ~= 1 then error(("expected exit status 1, got %d:\n%s"):format(status, text), 2) end
  if select(2, text:gsub("\n", "")) ~= 1 then error("expected one line:\n" .. text, 2) end
  return (text:gsub("^" .. file:gsub("%p", "%%%0") .. ": ?", ""))
end

local function begins(text, expected)
  if text:sub(1, #expected) ~= expected then error(("expected %q, got %q"):format(expected, text), 2) end
end

for _, name in ipairs(host.list(FAIL .. "model")) do
  check.case("model/" .. name, function()
    local file = FAIL .. "model/" .. name
    local text = host.read(file)
    local expected, options = text:match "^%-%- expect: ([^\n]*)\n", text:match "\n%-%- options: ([^\n]*)\n" or ""
    local out = scratch .. "/" .. name
    begins(refusal(("%s -o %s %s %s"):format(check.tool "lrnde-gen", out, options, file), file), expected)
    check.equal(host.list(out), nil)
  end)
end

local PRELUDE <const> = [[
trained() { $TRAIN --data data --out run --steps 4 "$@" $DIGITS >train.log 2>&1 || { cat train.log; exit 99; }; }
files() { find . -type f ! -name 'files.*' | sort | xargs -r cksum; }
refused() {
    files >files.before
    "$@" >files.out
    status=$?
    files >files.after
    cmp files.before files.after || exit 98
    exit $status
}
]]

for _, name in ipairs(host.list(FAIL .. "command")) do
  check.case("command/" .. name, function()
    local script = FAIL .. "command/" .. name
    local expected = assert(host.read(script)):match "^# expect: ([^\n]*)\n"
    local folder = scratch .. "/" .. name
    write_digits(folder .. "/data")
    host.write(folder .. "/prelude.sh", PRELUDE)
    local environment = {
      GEN = check.tool "lrnde-gen", SOLVE = check.tool "lrnde-solve", TRAIN = check.tool "lrnde-train",
      MODELS = host.root .. "/models", DIGITS = host.root .. "/tests/fixtures/digits.lua",
    }
    local settings = {}
    for key, value in pairs(environment) do
      settings[#settings + 1] = ("%s=%s"):format(key, value:match "^/" and value or "$PWD/" .. value)
    end
    local message = refusal(("%s && export %s && cd %s && . ./prelude.sh && . %s")
      :format(table.concat(settings, " "), "GEN SOLVE TRAIN MODELS DIGITS", folder, script), "none")
    check.contains(message, expected)
  end)
end

check.run("rm -r " .. scratch)
check.done()
