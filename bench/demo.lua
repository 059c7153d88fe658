--- make demo: the same small neural ODE classifier trained without and with local regularization; a table and a plot.

package.path = "bench/?.lua"
local runs = require "runs"
local build = arg[1] or "build"
local folder = "runs/demo"

local variants = {
  { name = "without", title = "without regularization", set = "regularize=false" },
  { name = "with", title = "with local regularization", set = "regularize.sampling=biased" },
}

for _, v in ipairs(variants) do
  local run, message = runs.train(build, v.title, { "models/fashion_node.lua", "--every", 25, "--out", folder .. "/" .. v.name, "--set", v.set })
  if not run then
    io.stderr:write("error: ", message, "\n")
    os.exit(1)
  end
  v.run = run
end

print ""
print("fashion_node, Fashion-MNIST      test accuracy   test NFE   predict ms/batch   train s")
for _, v in ipairs(variants) do
  local function get(key) return runs.summary(v.run, key) end
  print(("%-32s %13.4f %10.1f %18.3f %9.1f"):format(v.title, get "test_accuracy", get "test_nfe", get "predict_s" * 1e3, get "train_s"))
end
local function ratio(key) return runs.summary(variants[2].run, key) / runs.summary(variants[1].run, key) end
print(("%-32s %13.4f %10.3f %18.3f %9.2f"):format("ratio", ratio "test_accuracy", ratio "test_nfe", ratio "predict_s", ratio "train_s"))

local data = folder .. "/curves.txt"
local out = assert(io.open(data, "w"))
for _, v in ipairs(variants) do
  for _, s in ipairs(v.run.steps) do out:write(("%d %g %g\n"):format(s.step, s.nfe, s.loss)) end
  out:write "\n\n"
end
out:close()
local plot = folder .. "/nfe.svg"
local gnuplot = io.popen("gnuplot", "w")
gnuplot:write(([[
set terminal svg size 900,420
set output '%s'
set multiplot layout 1,2
set xlabel 'training step'
set ylabel 'NFE of the forward solve'
set yrange [0:*]
plot '%s' index 0 using 1:2 with lines lw 2 title 'without', '' index 1 using 1:2 with lines lw 2 title 'with local regularization'
set ylabel 'loss'
plot '%s' index 0 using 1:3 with lines title 'without', '' index 1 using 1:3 with lines title 'with local regularization'
]]):format(plot, data, data))
if gnuplot:close() then
  print("\nNFE and loss against step: " .. plot)
else
  print("\nno plot: gnuplot failed; the numbers are in " .. data)
end
