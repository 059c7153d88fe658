--- make demo: the same small neural ODE classifier trained without and with local regularization, from three seeds each; a
--- table and a plot.

package.path = "bench/?.lua"
local runs = require "runs"
local build = arg[1] or "build"
local folder = "runs/demo"

local SEEDS <const> = { 0, 1, 2 }
local VARIANTS <const> = {
  { name = "without", title = "without regularization", set = "regularize=false" },
  { name = "with", title = "with local regularization", set = "regularize.sampling=biased" },
}

for _, v in ipairs(VARIANTS) do
  v.runs = {}
  for i, seed in ipairs(SEEDS) do
    local run, message = runs.train(build, ("%s, seed %d"):format(v.title, seed), {
      "models/fashion_node.lua", "--every", 25, "--seed", seed, "--set", v.set, "--out", ("%s/%s-%d"):format(folder, v.name, seed) })
    if not run then
      io.stderr:write("error: ", message, "\n")
      os.exit(1)
    end
    v.runs[i] = run
  end
end

-- Mean, least and greatest of a number of the summaries.
local function spread(v, key)
  local sum, least, most = 0, math.huge, -math.huge
  for _, run in ipairs(v.runs) do
    local x = runs.summary(run, key)
    sum, least, most = sum + x, math.min(least, x), math.max(most, x)
  end
  return sum / #v.runs, least, most
end

print(("\nfashion_node, Fashion-MNIST, %d seeds: mean [least, most]\n"):format(#SEEDS))
print "                                      test NFE             test accuracy   predict ms/batch   train s"
for _, v in ipairs(VARIANTS) do
  print(("%-26s %20s %25s %18.3f %9.1f"):format(v.title, ("%.1f [%.1f, %.1f]"):format(spread(v, "test_nfe")),
    ("%.4f [%.4f, %.4f]"):format(spread(v, "test_accuracy")), spread(v, "predict_s") * 1e3, (spread(v, "train_s"))))
end
local function ratio(key) return spread(VARIANTS[2], key) / spread(VARIANTS[1], key) end
print(("%-26s %20.3f %25.4f %18.3f %9.2f"):format("ratio of means", ratio "test_nfe", ratio "test_accuracy", ratio "predict_s",
  ratio "train_s"))

-- A block of lines for every run; of each variant the first has the name.
local data = folder .. "/curves.txt"
local out = assert(io.open(data, "w"))
local curves = { nfe = {}, loss = {} }
for color, v in ipairs(VARIANTS) do
  for i, run in ipairs(v.runs) do
    for _, s in ipairs(run.steps) do out:write(("%d %g %g\n"):format(s.step, s.nfe, s.loss)) end
    out:write "\n\n"
    for column, list in pairs { [2] = curves.nfe, [3] = curves.loss } do
      list[#list + 1] = ("'%s' index %d using 1:%d with lines lw 2 lc %d %s"):format(data, #list, column, color,
        i == 1 and ("title '%s'"):format(v.title) or "notitle")
    end
  end
end
out:close()
local plot = folder .. "/nfe.svg"
local gnuplot = io.popen("gnuplot", "w")
gnuplot:write(([[
set terminal svg size 1000,420 background '#ffffff'
set output '%s'
set multiplot layout 1,2
set grid
set key outside top center
set xlabel 'training step'
set ylabel 'NFE of the forward solve'
set yrange [0:*]
plot %s
set ylabel 'loss'
set logscale y
set yrange [*:*]
plot %s
]]):format(plot, table.concat(curves.nfe, ", "), table.concat(curves.loss, ", ")))
if gnuplot:close() then
  print("\nNFE and loss against step: " .. plot)
else
  print("\nno plot: gnuplot failed; the numbers are in " .. data)
end
