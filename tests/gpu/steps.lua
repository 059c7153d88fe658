--- Models that need no data take the steps and come to the ends of the CPU: the same ones in f64; in f32, at a tolerance that is
-- no rounding, but for a few.

local check = require "check"
local device = require "witness.device"
local tool = require "witness.tool"

local SAMPLES <const> = 513     -- whole tiles, and a sample more

tool.compiler = "tests/quick_cc.sh"
device.required()

--- Can lrnde-solve solve it as it is, in this precision?
local function solvable(model, precision)
  local solve = ("CC=%s %s --threads 1 --set precision=%s %s"):format(tool.compiler, check.tool "lrnde-solve", precision, model)
  return select(2, check.run(solve)) == 0
end

local function compare_ends(there, here, tolerance)
  check.equal(#there.u, #here.u)
  for i, u in ipairs(here.u) do
    for j, x in ipairs(u) do check.near(there.u[i][j], x, tolerance * (1 + math.abs(x))) end
  end
end

local function solve(model, options)
  return device.both(function(name)
    options.device, options.stats = name, true
    return tool.solve(model, options)
  end)
end

for _, model in ipairs(device.models()) do
  if solvable(model, "f64") then
    check.case(model .. ", f64: the steps and the end of the CPU", function()
      local there, here = solve(model, { set = { "precision=f64" } })
      check.equal({ there.accepted, there.rejected, there.nfe }, { here.accepted, here.rejected, here.nfe })
      compare_ends(there, here, 1e-9)
    end)
  end
  if solvable(model, "f32") then
    check.case(model .. ", f32: nearly as many, to nearly the same end", function()
      local there, here = solve(model, { set = { "precision=f32", "solver.rtol=1e-4", "solver.atol=1e-4" } })
      check.near(there.accepted, here.accepted, 2 + here.accepted // 20)
      check.near(there.rejected, here.rejected, 2 + here.accepted // 20)
      compare_ends(there, here, 1e-3)
    end)
  end
end

check.case("many samples: a batch takes its steps together", function()
  local folder = check.folder()
  local input, output = folder .. "/in.csv", folder .. "/out.csv"
  local file = assert(io.open(input, "w"))
  file:write "u1,u2\n"
  for i = 1, SAMPLES do file:write(("%.17g,1\n"):format(1 + i / SAMPLES)) end
  file:close()
  local there, here = device.both(function(name)
    local options = { device = name, input = input, output = output, stats = true }
    local stats, u = tool.solve("models/lotka_volterra.lua", options), {}
    for line in io.lines(output) do
      for number in line:gmatch "[^,]+" do u[#u + 1] = tonumber(number) end
    end
    return { accepted = stats.accepted, rejected = stats.rejected, u = { u } }
  end)
  check.run("rm -r " .. folder)
  check.equal(#here.u[1], 4 * SAMPLES)                                      -- of each its number, the time, two components
  check.equal({ there.accepted, there.rejected }, { here.accepted, here.rejected })
  compare_ends(there, here, 1e-9)
end)

check.done()
