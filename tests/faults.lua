--- Faults while computing: exit status 3 and one line with t, h, stage, sample and layer or component, in bounded time;
--- training keeps its last good state.
--
-- tests/fail/fault/ holds models that go wrong when lrnde-solve solves them.  Their first comment is in the line they end
-- with; a second one, "options: ...", is what else stands on the command line.  The time limit and faults that need an
-- application of the library are in test_solve.c.

local check = require "check"
local host = require "host"

local write_digits = dofile(host.root .. "/tests/fixtures/digits_data.lua")

local FAULTS <const> = host.root .. "/tests/fail/fault/"
local FIXTURES <const> = host.root .. "/tests/fixtures/"
local SOLVE <const> = "SAMPLES=" .. FIXTURES .. "samples.csv; timeout 30 " .. check.tool "lrnde-solve"

for _, name in ipairs(host.list(FAULTS)) do
  check.case(name, function()
    local text = host.read(FAULTS .. name)
    local expected, options = text:match "^%-%- expect: ([^\n]*)\n", text:match "\n%-%- options: ([^\n]*)\n" or ""
    local message, status = check.run(("%s %s %s%s"):format(SOLVE, options, FAULTS, name))
    if status ~= 3 then error(("expected exit status 3, got %s:\n%s"):format(status, message)) end
    check.contains(message, expected)
    check.equal(select(2, message:gsub("\n", "")), 1)
  end)
end

-- Training runs of the digits, with options, in a folder that lasts as long as the program.
local folder = check.folder()
write_digits(folder .. "/data")

local function train(options)
  return check.run(("timeout 30 %s --data %s/data --out %s/run %s %sdigits.lua")
    :format(check.tool "lrnde-train", folder, folder, options, FIXTURES))
end

check.case("training that diverges says where, and its last good state is on disk", function()
  local message, status = train "--set train.optimizer.lr=3e38"
  check.equal(status, 3)
  check.equal(message:match "lrnde%-train: error: [^\n]*not finite at t = [^\n]*, stage %d, sample %d, layer dynamics, training step %d+\n" ~= nil, true)
  local evaluation
  evaluation, status = train(("--eval --json --weights %s/run/last.safetensors"):format(folder))
  check.equal(status, 0)
  check.equal(tonumber(evaluation:match '"test_loss":([%d.e+-]+)') ~= nil, true)
end)

check.case("training that runs out of steps says so", function()
  local message, status = train "--set solver.max_steps=2"
  check.equal(status, 3)
  check.contains(message, "2 steps are not enough: t = ")
  check.contains(message, ", training step 1\n")
end)

check.run("rm -r " .. folder)
check.done()
