--- The emitted text: the same for the same input, clean to a strict compiler, quick to make, and as it says of itself.

local check = require "check"
local host = require "host"
local ir = require "ir"
local load_model = require("language.model").load
local tableau = require "language.tableau"

local ROOT <const> = host.root
local GEN <const> = check.tool "lrnde-gen"
local STRICT <const> = "cc -std=c11 -Wall -Wextra -Wpedantic -Werror -I" .. ROOT .. "/runtime "
local FAST <const> = STRICT .. "-O3 -march=native -fno-math-errno -fno-trapping-math -ffp-contract=off "
local scratch <const> = check.folder()

--- The command's output; it must succeed.
local function run(command)
  local text, status = check.run(command)
  if status ~= 0 then error(("%s: exit status %s:\n%s"):format(command, status, text), 2) end
  return text
end

local function names(folder)
  local list = {}
  for _, entry in ipairs(assert(host.list(ROOT .. "/" .. folder))) do
    list[#list + 1] = entry:match "^(.*)%.lua$"
  end
  table.sort(list)
  return list
end

local models <const> = names "models"

--- Generates a shipped model into a folder of scratch; the path of its files without their extension.
local function generate(model, folder, options)
  run(("%s --target c %s --out %s/%s %s/models/%s.lua"):format(GEN, options or "", scratch, folder, ROOT, model))
  return ("%s/%s/%s"):format(scratch, folder, model)
end

--- The options for a method; without an error estimate there is nothing to regularize.
local function with_method(method)
  local tab, options = tableau.load(method), "--method " .. method
  if not tab.err then options = options .. " --set regularize=false" end
  return tab.precision and ("%s --set precision=%s"):format(options, tab.precision) or options
end

--- The methods that can solve a shipped model, each with the path of its files: not those of the other kind of equation or
-- noise, or for small states only.
local tableaus = {}
local function tableaus_for(model)
  if tableaus[model] then return tableaus[model] end
  local list = {}
  for _, method in ipairs(tableau.names()) do
    local text, status = check.run(("%s --target c %s --out %s/%s %s/models/%s.lua"):format(GEN, with_method(method), scratch, method,
                                                                                           ROOT, model))
    if status == 0 then list[#list + 1] = { name = method, base = ("%s/%s/%s"):format(scratch, method, model) } end
    assert(status == 0 or text:find "is a method for" or text:find "is for additive noise" or text:find "factorises the Jacobian", text)
  end
  tableaus[model] = list
  return list
end

--- Of those the one with most stages.
local function longest_for(model)
  local longest, stages = nil, 0
  for _, method in ipairs(tableaus_for(model)) do
    local tab = tableau.load(method.name)
    if tab.stages > stages then longest, stages = method, tab.stages end
  end
  return longest
end

--- Seconds of processor time that commands the shell runs take.
local function processor_seconds(command)
  local text = run(command .. " && times")
  local minutes, seconds = text:match "\n(%d+)m([%d.]+)s [^\n]*\n*$"
  return tonumber(minutes) * 60 + tonumber(seconds)
end

for _, model in ipairs(models) do
  check.case(model .. ": the same bytes twice and anywhere, none of them about this machine", function()
    local base = generate(model, "once")
    for _, extension in ipairs { ".h", ".c" } do
      local text = assert(host.read(base .. extension))
      check.equal(host.read(generate(model, "twice") .. extension), text)
      check.equal(host.read(generate(model, "elsewhere/below") .. extension), text)
      check.equal(text:find(ROOT, 1, true) or text:find(scratch, 1, true) or text:find("%d%d:%d%d:%d%d"), nil)
    end
  end)

  check.case(model .. ": plain C11 without a warning, small enough", function()
    local base = generate(model, "once")
    run(STRICT .. "-O1 -c -o /dev/null " .. base .. ".c")
    run(STRICT .. "-x c -fsyntax-only " .. base .. ".h")
    assert(#host.read(base .. ".c") < 1000000, "the source is larger than 1 MB")
  end)

  check.case(model .. ": every method without a warning", function()
    for _, method in ipairs(tableaus_for(model)) do run(STRICT .. "-fsyntax-only " .. method.base .. ".c") end
  end)
end

-- Loose bounds: three times what is asked of a quiet machine.
local function quick(what, seconds, command)
  check.case(what, function()
    local times = {}
    for i = 1, 3 do times[i] = processor_seconds(command) end
    table.sort(times)
    print(("%s: %.2f s"):format(what, times[2]))
    assert(times[2] < 3 * seconds, ("%.2f s is more than three times %.1f s"):format(times[2], seconds))
  end)
end
quick("generating mnist_node", 0.2, ("%s --target c --out %s/timed %s/models/mnist_node.lua"):format(GEN, scratch, ROOT))
quick("generating spiral", 0.1, ("%s --target c --out %s/timed %s/models/spiral.lua"):format(GEN, scratch, ROOT))

for _, model in ipairs(models) do
  check.case(model .. ": optimised in a few seconds with the longest method", function()
    local seconds = processor_seconds("export CCACHE_DISABLE=1; " .. FAST .. "-c -o /dev/null " .. longest_for(model).base .. ".c")
    print(("compiling %s: %.1f s"):format(model, seconds))
    assert(seconds < 15, ("%.1f s is more than three times 5 s"):format(seconds))
  end)
end

check.case("pleiades: stages call one right-hand side, whatever their number", function()
  for _, target in ipairs { "c", "cuda" } do
    local roots = {}
    for _, method in ipairs { "bs3", "tsit5" } do
      local folder = ("%s/%s_%s"):format(scratch, target, method)
      run(("%s --target %s --method %s --out %s %s/tests/fixtures/pleiades.lua"):format(GEN, target, method, folder, ROOT))
      local text = host.read(folder .. "/pleiades." .. (target == "c" and "c" or "cu"))
      roots[#roots + 1] = select(2, text:gsub("const real v%d+ = lrnde_sqrt_f64%(", ""))
    end
    check.equal(roots[2], roots[1])
    assert(roots[1] > 0 and roots[1] % 21 == 0, ("%d square roots in the %s file"):format(roots[1], target))
  end
end)

-- ---- counts ----

--- Lists of { kernel, flop, loads, stores }, as the comment on top says and as the descriptor does.
local function stated(text)
  local header, descriptor = {}, {}
  for name, flop, loads, stores in text:gmatch " %*   ([%w_]+) +(%d+) +(%d+) +(%d+)\n" do
    header[#header + 1] = { (name:gsub("^adjoint_", "")), tonumber(flop), tonumber(loads), tonumber(stores) }
  end
  local numbers = '{"([%w_]+)", ' .. ("[^,]+, "):rep(2) .. ("%d+, "):rep(4) .. "(%d+), %d+, (%d+), (%d+), %d+, %d+}"
  for name, flop, loads, stores in text:gmatch(numbers) do
    descriptor[#descriptor + 1] = { name, tonumber(flop), tonumber(loads), tonumber(stores) }
  end
  local function by_name(a, b) return table.concat(a, " ") < table.concat(b, " ") end
  table.sort(header, by_name)
  table.sort(descriptor, by_name)
  return header, descriptor
end

for _, model in ipairs(models) do
  check.case(model .. ": header and descriptor count alike", function()
    local header, descriptor = stated(host.read(generate(model, "once") .. ".c"))
    assert(#header > 5)
    check.equal(header, descriptor)
  end)
end

-- How a statement of straight-line code is read: the first pattern that matches tells the op.  Whatever has a question mark
-- costs what a select does.
local spellings <const> = {
  { "^lrnde_(%w+)_f64%(" }, { "^%(.* %? ", "select" },
  { " %+ ", "add" }, { " %- ", "sub" }, { " %* ", "mul" }, { " / ", "div" }, { "^%-", "neg" }, { "^[%w_.]+$", "copy" },
}

local function flops(expression)
  local bare = expression:gsub("%[[^%]]*%]", "")
  for _, spelling in ipairs(spellings) do
    local found = bare:match(spelling[1])
    if found then
      local op = spelling[2] or found
      return op == "copy" and 0 or ir.ops[op].flops
    end
  end
  error("a statement that is no op: " .. expression)
end

--- Counts a kernel's text again; nil if it loops over features, here or in a function, or is not one lane loop.
local function recount(text)
  if text:find("for (int i", 1, true) or text:find "_loop%d+%(" or not text:find "LRNDE_LANES" then return nil end
  local count, read, input, output = { 0, 0, 0 }, {}, {}, {}
  for pointer, size in text:gmatch "        const real %*restrict ([%w_]+) = [^\n]*/%* %((%d+), T%) %*/" do input[pointer] = size end
  for pointer in text:gmatch "        real %*restrict ([%w_]+) = " do output[pointer] = true end
  for line in text:match("LRNDE_LANES.*"):gmatch "[^\n]+" do
    local expression = line:match "^ +const real [%w_]+ = (.*);$"
    if expression then count[1] = count[1] + flops(expression) end
    if line:find "^ +b%d+%[l%] = " then count[1] = count[1] + ir.ops.batch_sum.flops end
    local stored = line:match "^ +([%w_]+)%[[^%]]*l%] = "
    if stored and output[stored] then count[3] = count[3] + 1 end
    for pointer, row in line:gmatch "([%w_]+)(%[[^%]]*l%])" do
      if input[pointer] and not read[pointer .. row] then
        read[pointer .. row] = true
        count[2] = count[2] + 1
      end
    end
  end
  return count
end

check.case("straight-line kernels have as many operations, loads and stores as they say", function()
  local recounted = 0
  for _, model in ipairs { "lotka_volterra", "van_der_pol", "spiral_truth" } do
    for _, method in ipairs { "bs3", "tsit5", "vern7" } do
      local text = host.read(generate(model, method, with_method(method)) .. ".c")
      for name, flop, loads, stores, body in text:gmatch "/%* %-%-%-%- ([%w_]+): (%d+) flop, (%d+) loads, (%d+) stores[^\n]*\n(.-)\n}\n" do
        local count = recount(body)
        if count then
          recounted = recounted + 1
          check.equal({ model, method, name, table.unpack(count) },
                      { model, method, name, tonumber(flop), tonumber(loads), tonumber(stores) })
        end
      end
    end
  end
  assert(recounted > 20, ("only %d kernels are straight-line code"):format(recounted))
end)

check.case("golden: the step of bs3 over Lotka-Volterra; make golden renews it", function()
  run(("cd %s && sh tests/golden/renew.sh %s %s"):format(ROOT, GEN:match "^(.*)/lrnde%-gen$", scratch))
  local name = "/lotka_volterra_bs3_step.c"
  check.equal(host.read(scratch .. name), host.read(ROOT .. "/tests/golden" .. name))
end)

check.run("rm -r " .. scratch)
check.done()
