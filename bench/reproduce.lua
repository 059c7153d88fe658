--- make reproduce: the training figures of README.  Every run keeps its log in runs/reproduce; one that has ended is not run
-- again, one that was interrupted goes on where it stopped.
--
--   lua5.4 bench/reproduce.lua BUILD [PART]           the parts are listed at the end; all of them if none is named

package.path = "bench/?.lua"
local runs = require "runs"
local build, part = arg[1] or "build", arg[2]
local folder = "runs/reproduce"

--- The summary line and step reports of a run, from its log if it has ended, else by running it.
local function run(name, words)
  local path = ("%s/%s/summary.json"):format(folder, name)
  local done = io.open(path)
  if done then
    local result = { steps = {}, summary = done:read "a" }
    done:close()
    for line in io.lines(("%s/%s/log.jsonl"):format(folder, name)) do
      result.steps[#result.steps + 1] = runs.report(line)
    end
    return result
  end
  local all = { "--out", folder .. "/" .. name }
  local started = io.open(("%s/%s/last.safetensors"):format(folder, name))
  if started then
    started:close()
    all[#all + 1] = "--resume"
  end
  table.move(words, 1, #words, #all + 1, all)
  local result, message = runs.train(build, name, all)
  if not result then
    io.stderr:write("error: ", name, ": ", message, "\n")
    os.exit(1)
  end
  local out = assert(io.open(path, "w"))
  out:write(result.summary)
  out:close()
  return result
end

local function words(...) return { ... } end

--- The paper's MNIST classifier as its code has it, beside the digitised curves of the paper's figures.
local function paper()
  local curves = {                                        -- NFE (with the 9 of the local step) and training accuracy
    none = { nfe = { 189.0, 222.8, 256.0, 269.4 }, accuracy = { nil, 86.96, 96.77, 98.16 } },
    unbiased = { nfe = { 198.0, 209.3, 202.1, 197.5 }, accuracy = { nil, 85.25, 94.67, 96.36 } },
    biased = { nfe = { 198.0, 209.4, 199.3, 196.8 }, accuracy = { nil, 85.24, 94.46, 96.45 } },
  }
  local at = { 1, 101, 501, 1001 }
  print "\nmnist_node, the paper's recipe, seed 0: training NFE (local step included) and accuracy, paper in brackets"
  for _, setting in ipairs { "accumulate=native", "accumulate=double", "precision=f64" } do
    local title = setting:match "=(.*)"
    for _, mode in ipairs { "none", "unbiased", "biased" } do
      local result = run(("paper_%s_%s"):format(title, mode), words(
        "models/mnist_node.lua", "--steps", 1001, "--every", 1, "--seed", 0, "--set", setting,
        "--set", mode == "none" and "regularize=false" or "regularize.sampling=" .. mode))
      local line = {}
      for i, step in ipairs(at) do
        for _, s in ipairs(result.steps) do
          if s.step == step then
            local accuracy = curves[mode].accuracy[i]
            line[i] = ("%d: %d [%.0f] %.1f%s"):format(s.step, s.nfe + (mode == "none" and 0 or 9), curves[mode].nfe[i], 100 * s.accuracy,
                                                     accuracy and (" [%.1f]"):format(accuracy) or "")
          end
        end
      end
      print(("%-7s %-9s %s"):format(title, mode, table.concat(line, "   ")))
    end
  end
end

--- The paper's neural SDE, beside the digitised curves of the paper's figures: what drift and diffusion were evaluated, those of
-- the local step included, and training accuracy as a mean over the 100 steps before.
local function nsde()
  local at, curves = { 1, 201, 501, 1001 }, {             -- drift evaluations and training accuracy
    none = { nfe = { 192.7, 222.2, 242.0, 275.7 }, accuracy = { nil, 92.86, 95.55, 96.72 } },
    unbiased = { nfe = { 198.7, 190.2, 198.3, 212.3 }, accuracy = { nil, 93.03, 95.65, 96.49 } },
    biased = { nfe = { 200.0, 191.5, 199.7, 213.5 }, accuracy = { nil, 93.05, 95.59, 96.68 } },
  }
  print "\nmnist_nsde, the paper's recipe, seed 0: drift, diffusion evaluations (means of 100 steps too), accuracy; paper in brackets"
  local last = {}
  for _, mode in ipairs { "none", "unbiased", "biased" } do
    local result = run("nsde_" .. mode, words(
      "models/mnist_nsde.lua", "--steps", 1001, "--every", 1, "--seed", 0,
      "--set", mode == "none" and "regularize=false" or "regularize.sampling=" .. mode))
    local line = {}
    for i, step in ipairs(at) do
      local function mean(key) return runs.mean(result, key, step - 99, step) end
      local own = mean "nfe_local"
      local accuracy = curves[mode].accuracy[i]
      line[i] = ("%d: %.1f, %.1f [%.0f]%s"):format(step, mean "nfe" + own, mean "nfe_diffusion" + own, curves[mode].nfe[i],
        accuracy and (" %.1f [%.1f]"):format(100 * mean "accuracy", accuracy) or "")
      last[mode] = mean "nfe" + own
    end
    print(("%-9s %s   %.4f s a step (median)"):format(mode, table.concat(line, "   "), runs.median(result, "step_s")))
  end
  print(("unbiased/none %.3f, biased/none %.3f at step 1001; paper: 2.43 s a step on its machine"):format(
    last.unbiased / last.none, last.biased / last.none))
end

local function show(name, result)
  local last = result.steps[#result.steps]
  print(("%-52s %8.1f %9.4f %10.2e %8.1f"):format(name, runs.summary(result, "test_nfe"), runs.summary(result, "test_accuracy"),
                                                 last.reg or 0, runs.summary(result, "train_s")))
end

local function header(text)
  print("\n" .. text)
  print(("%-52s %8s %9s %10s %8s"):format("", "test NFE", "accuracy", "last R", "train s"))
end

--- Every combination of step_size, gradient and sampling on the demo's model.
local function options()
  header "fashion_node, tolerance 1e-6, f32, seed 0"
  show("none", run("options_none", words("models/fashion_node.lua", "--every", 100, "--set", "regularize=false")))
  for _, step_size in ipairs { "accepted", "automatic" } do
    for _, gradient in ipairs { "partial", "truncated", "total" } do
      for _, sampling in ipairs { "biased", "unbiased" } do
        local name = ("%s_%s_%s"):format(step_size, gradient, sampling)
        show(name:gsub("_", ", "), run("options_" .. name, words(
          "models/fashion_node.lua", "--every", 100, "--set", "regularize.step_size=" .. step_size,
          "--set", "regularize.gradient=" .. gradient, "--set", "regularize.sampling=" .. sampling)))
      end
    end
  end
end

--- The defaults at two tolerances, two precisions and three seeds.
local function tolerances()
  header "fashion_node, defaults, three seeds"
  for _, precision in ipairs { "f32", "f64" } do
    for _, tolerance in ipairs { "1e-4", "1e-6" } do
      for _, mode in ipairs { "none", "unbiased", "biased" } do
        for seed = 0, 2 do
          local name = ("%s_%s_%s_%d"):format(precision, tolerance, mode, seed)
          show(name, run("tolerances_" .. name, words(
            "models/fashion_node.lua", "--every", 100, "--seed", seed, "--set", "precision=" .. precision,
            "--set", "solver.atol=" .. tolerance, "--set", "solver.rtol=" .. tolerance,
            "--set", mode == "none" and "regularize=false" or "regularize.sampling=" .. mode)))
        end
      end
    end
  end
end

--- What lrnde-bench says of its cases adjoint_* and long_*, one thread: { "discrete", .. }, { adjoint_discrete = line, .. }.
local function gradients()
  local function bench(arguments) return assert(io.popen(("%s/lrnde-bench %s"):format(build, arguments))) end
  local list, names, lines, cases <close> = {}, {}, {}, bench "--list"
  for case in cases:lines() do
    list[#list + 1] = case:match "^adjoint_[%w_]+" or case:match "^long_[%w_]+"
    names[#names + 1] = case:match "^adjoint_([%w_]+)"
  end
  table.sort(names)
  local results <close> = bench("--json --threads 1 " .. table.concat(list, " "))
  for line in results:lines() do
    lines[runs.field(line, "case")] = line
    io.stderr:write(("\r%-34s"):format(runs.field(line, "case")))
  end
  io.stderr:write "\n"
  for _, case in ipairs(list) do
    if not lines[case] then
      io.stderr:write("error: lrnde-bench ended without ", case, "\n")
      os.exit(1)
    end
  end
  return names, lines
end

--- Every sensitivity algorithm: what a gradient costs, and what training by it gives.
local function sensitivities()
  local function column(line)
    local function get(key) return runs.field(line, key) end
    return ("%8.2f %9.1f %9.1e"):format(get "ratio", get "memory_mib", get "gradient_error")
  end
  local names, lines = gradients()
  print "\none thread: what a gradient adds to a solve in times of it, MiB at the peak, error of the gradient, of"
  print(("mnist_node, %d steps; fashion_node, f64, %d steps; then training fashion_node, f32, seed 0: test accuracy, seconds"):format(
    runs.field(lines["adjoint_" .. names[1]], "steps"), runs.field(lines["long_" .. names[1]], "steps")))
  for _, name in ipairs(names) do
    local adjoint, long, trained = lines["adjoint_" .. name], lines["long_" .. name], ""
    local setting = runs.field(adjoint, "sensitivity")
    if setting == name then                                 -- with less kept it is the same training
      local result = run("sensitivities_" .. name, words(
        "models/fashion_node.lua", "--every", 100, "--threads", 1, "--set", "sensitivity=" .. name))
      trained = ("%9.4f %7.1f"):format(runs.summary(result, "test_accuracy"), runs.summary(result, "train_s"))
    end
    print(("%-32s %s   %s   %s"):format(setting, column(adjoint), column(long), trained))
  end
end

--- Moments over a million paths: of Brownian motion under rejection, and of equations that have a solution.  The suites
-- themselves, with more paths; they fail beyond 3 standard errors.
local function moments()
  local suites = { ("%s/tests/test_noise"):format(build), ("%s/tests/lua tests/numeric/stochastic.lua"):format(build) }
  if not os.execute(("make -s B=%s %s/tests/test_noise %s/tests/lua"):format(build, build, build)) then os.exit(1) end
  print "\nMoments over 10^6 paths, in standard errors from the exact ones"
  for _, suite in ipairs(suites) do
    local pipe = assert(io.popen(("LRNDE_BUILD=%s LRNDE_PATHS=1000000 %s 2>&1"):format(build, suite)))
    for line in pipe:lines() do
      if line:match "standard errors" or line:match "^FAIL" or line:match "FAILED" then print(line) end
    end
    if not pipe:close() then os.exit(1) end
  end
end

local parts = { { "tolerances", tolerances }, { "options", options }, { "sensitivities", sensitivities }, { "paper", paper },
                { "nsde", nsde }, { "moments", moments } }
for _, each in ipairs(parts) do
  if not part or part == each[1] then each[2]() end
end
