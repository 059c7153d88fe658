--- The application of tests/app: generated, compiled and linked as README says, run, compared with the tools.

local check = require "check"

local build = os.getenv "LRNDE_BUILD" or "build"
local folder = build .. "/app"
local function run(command)
  local pipe = assert(io.popen(command .. " 2>&1"))
  local text = pipe:read "a"
  local ok = pipe:close()
  if not ok then error(command .. "\n" .. text, 2) end
  return text
end

local output
check.case("two generated models link with liblrnde.a into one program", function()
  for _, model in ipairs { "lotka_volterra", "spiral" } do
    run(("%s/lrnde-gen --target c -o %s models/%s.lua"):format(build, folder, model))
  end
  run(("cc -std=c11 -Wall -Wextra -Wpedantic -O2 -march=native -fno-math-errno -fno-trapping-math -ffp-contract=off -fopenmp " ..
       "-Iruntime -I%s -o %s/app tests/app/app.c %s/lotka_volterra.c %s/spiral.c %s/liblrnde.a -lopenblas -lz -ljansson -lm")
      :format(folder, folder, folder, folder, build))
  output = run(folder .. "/app")
end)

check.case("it solves like lrnde-solve and its gradient is the reference", function()
  local u1, u2 = output:match "u (%S+) (%S+)"
  local json = run(build .. "/lrnde-solve models/lotka_volterra.lua --json")
  local v1, v2 = json:match '"u":%[%[([^,]+),([^%]]+)%]'
  check.near(tonumber(u1), tonumber(v1), 1e-12)
  check.near(tonumber(u2), tonumber(v2), 1e-12)
  local reference = { -4.0962129936581979658, -0.50940881191129917499, -1.1458348864297371063, -1.8043278687671012968 }
  local i = 0
  for word in output:match "gradient ([^\n]*)":gmatch "%S+" do
    i = i + 1
    check.near(tonumber(word), reference[i], 1e-5)               -- the solution's own error at 1e-8
  end
  check.equal(i, 4)
end)

check.case("training through the API lowers the loss", function()
  local first, last = output:match "loss (%S+) (%S+)"
  check.equal(tonumber(last) < 0.05 * tonumber(first), true)
end)

check.case("what is installed needs no checkout", function()
  local prefix = folder .. "/prefix"
  run(("rm -rf %s && env -u MAKEFLAGS make -s install B=%s PREFIX=%s"):format(prefix, build, prefix))
  for _, model in ipairs { "gbm", "lotka_volterra" } do
    local path, text = ("share/lrnde/models/%s.lua"):format(model), ("%s/%s.cu"):format(folder, model)
    run(("cd %s && unset LRNDE_GEN && bin/lrnde-gen --target cuda -o gen %s"):format(prefix, path))
    run(("%s/lrnde-gen --target cuda -o %s models/%s.lua"):format(build, folder, model))
    check.equal(run("grep -v ' options ' " .. text), run(("grep -v ' options ' %s/gen/%s.cu"):format(prefix, model)))
    check.equal(run(("cd %s && unset LRNDE_GEN && bin/lrnde-solve --device cpu %s"):format(prefix, path)),
                run(("%s/lrnde-solve --device cpu models/%s.lua"):format(build, model)))
  end
end)

check.done()
