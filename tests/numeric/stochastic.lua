--- Moments of many trajectories, as lrnde-solve prints them, against those of the exact solutions: fixed and adaptive steps of
--- every stochastic method.  What lrnde-train tests as a mean of trajectories.  $LRNDE_PATHS: how many trajectories.

local check = require "check"
local host = require "host"
local tableau = require "language.tableau"
local tool = require "witness.tool"

tool.compiler = "tests/quick_cc.sh"

local N <const> = tonumber(os.getenv "LRNDE_PATHS") or 20000
local STANDARD_ERRORS <const> = 3

local e = math.exp

-- Raw moments E u^q at t, for the models' own parameters.
local function gbm(q, t) return 0.5 ^ q * e(q * 1.01 * t + q * (q - 1) / 2 * 0.87 ^ 2 * t) end
local function ornstein_uhlenbeck(q, t)
  local mean, var = 0.5 + 1.5 * e(-t), 0.09 * (1 - e(-2 * t)) / 2
  local moments = { mean, mean ^ 2 + var, mean ^ 3 + 3 * mean * var, mean ^ 4 + 6 * mean ^ 2 * var + 3 * var ^ 2 }
  return moments[q]
end

local function check_moments(model, method, moment, options)
  options.method, options.trajectories, options.seed, options.saveat = method, N, 1, { 0.25, 1 }
  options.tspan = { 0, 1 }
  local r = tool.solve(("models/%s.lua"):format(model), options)
  check.equal(r.trajectories, N)
  for i, t in ipairs(options.saveat) do
    local mean, second = r.mean[i][1], r.variance[i][1] * (N - 1) / N + r.mean[i][1] ^ 2
    local se1 = math.sqrt((moment(2, t) - moment(1, t) ^ 2) / N)
    local se2 = math.sqrt((moment(4, t) - moment(2, t) ^ 2) / N)
    print(("%s, %s, t = %g: mean %+.2f, second moment %+.2f standard errors"):format(model, method, t, (mean - moment(1, t)) / se1,
      (second - moment(2, t)) / se2))
    check.near(mean, moment(1, t), STANDARD_ERRORS * se1)
    check.near(second, moment(2, t), STANDARD_ERRORS * se2)
  end
end

for _, family in ipairs { "sri", "sra" } do
  for _, method in ipairs(tableau.names(family)) do
    local adaptive = tableau.load(method).err ~= nil
    local h = adaptive and 1 / 128 or 1 / 1024                           -- bias below a standard error
    check.case(method .. ": moments of an Ornstein-Uhlenbeck process, fixed steps", function()
      check_moments("ornstein_uhlenbeck", method, ornstein_uhlenbeck, { h = h })
    end)
    if family == "sri" then
      check.case(method .. ": moments of geometric Brownian motion, fixed steps", function()
        check_moments("gbm", method, gbm, { h = h })
      end)
    end
  end
end
check.case("sosri: moments of geometric Brownian motion, adaptive steps", function() check_moments("gbm", "sosri", gbm, {}) end)
check.case("sosra: moments of an Ornstein-Uhlenbeck process, adaptive steps", function()
  check_moments("ornstein_uhlenbeck", "sosra", ornstein_uhlenbeck, { atol = 1e-2, rtol = 1e-2 })
end)

check.case("a seed is a path", function()
  local function last(seed) return tool.solve("models/gbm.lua", { seed = seed, h = 0.125 }).u[1][1] end
  check.equal(last(1), last(1))
  assert(last(1) ~= last(2))
end)

check.case("what is tested is the mean of trajectories, while training and after", function()
  local folder = check.folder()
  dofile(host.root .. "/tests/fixtures/digits_data.lua")(folder .. "/data")
  local function run(options)
    options.data, options.out = folder .. "/data", folder .. "/run"
    local lines = tool.train("tests/numeric/models/noisy_digits.lua", options)
    return lines[#lines], lines
  end
  local trained, lines = run { trajectories = 5 }
  for _, line in ipairs(lines) do check.equal(line.test_trajectories, 5) end
  local function after(trajectories) return run { eval = true, resume = true, trajectories = trajectories } end
  check.equal(after(5).test_loss, trained.test_loss)
  check.equal(run { eval = true, resume = true, set = { "train.evaluate_trajectories=5" } }.test_loss, trained.test_loss)
  local one, many = after(), after(1000)
  check.equal(one.test_trajectories, 1)
  assert(one.test_loss ~= trained.test_loss)
  assert(many.test_loss < one.test_loss)                        -- cross-entropy is convex: noise that is left adds to it
  check.run("rm -r " .. folder)
end)

check.done()
