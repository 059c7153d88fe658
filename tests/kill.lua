--- Training that is killed again and again and resumed ends with the bytes of an undisturbed run; one that is interrupted
--- saves its state and says so.

local check = require "check"
local host = require "host"

local write_digits = dofile(host.root .. "/tests/fixtures/digits_data.lua")

local KILLS <const> = 20
local folder = check.folder()
write_digits(folder .. "/data")

-- A command that trains the digits into a folder of the test's own, for some seconds; one thread, so that sums are added in
-- one order.
local function train(out, options)
  return ("%s --threads 1 --data %s/data --out %s/%s %s --every 20000 --set train.steps=80000 --set train.evaluate_every=20000 %s")
    :format(check.tool "lrnde-train", folder, folder, out, options, host.root .. "/tests/fixtures/digits.lua")
end

local function seconds(command)
  local text, status = check.run(("date +%%s.%%N; { %s; } >/dev/null && date +%%s.%%N"):format(command))
  if status ~= 0 then error(text) end
  local start, stop = text:match "^[%d.]+", text:match "([%d.]+)\n$"
  return tonumber(stop) - tonumber(start)
end

local function bytes(out, file) return host.read(("%s/%s/%s"):format(folder, out, file)) end

seconds(train("built", "--steps 1"))                          -- compiles the kernels
local startup, whole = seconds(train("built", "--steps 1")), seconds(train("undisturbed", ""))

local function same_as_undisturbed(out)
  for _, file in ipairs { "last.safetensors", "best.safetensors" } do
    check.equal(bytes(out, file) == assert(bytes("undisturbed", file)), true)
  end
end

check.case(("killed %d times at random moments"):format(KILLS), function()
  local kills, resumed, run = 0, 0, 1
  while kills < KILLS do
    local out = "killed" .. run
    local resume = bytes(out, "last.safetensors") and "--resume" or ""
    local after = startup + math.random() * whole / 8
    local _, status = check.run(("timeout -s KILL %.3f %s"):format(after, train(out, resume)))
    if status == 0 then                                       -- done before it could be killed
      same_as_undisturbed(out)
      run = run + 1
    else
      check.equal(status, 137)
      kills, resumed = kills + 1, resumed + (resume ~= "" and 1 or 0)
    end
  end
  check.equal(resumed >= KILLS // 2, true)                    -- or this test shows nothing
  local out = "killed" .. run
  check.run(train(out, bytes(out, "last.safetensors") and "--resume" or ""))
  same_as_undisturbed(out)
end)

check.case("interrupted once it has begun: saved, said, exit status 130, and resumed to the same bytes", function()
  local text, status = check.run(([[
%s >/dev/null & until [ -s %s/interrupted/log.jsonl ]; do sleep 0.01; done; kill -INT $!; wait $!]])
    :format(train("interrupted", ""), folder))
  check.equal(status, 130)
  check.equal(text:match "interrupted after step %d+; %-%-resume goes on from .*/interrupted/last.safetensors\n$" ~= nil, true)
  check.equal(select(2, check.run(train("interrupted", "--resume"))), 0)
  same_as_undisturbed "interrupted"
end)

check.run("rm -r " .. folder)
check.done()
