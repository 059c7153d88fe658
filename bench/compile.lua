--- Seconds of processor time to compile every shipped model with every tableau, one table; below 5 each is what is asked.
--
--   lua5.4 bench/compile.lua BUILD [MODEL...]           a shipped one by name, or any by file
--
-- The compiler is called as the tools call it: with the flags of runtime/cli/build.c.

local LIMIT <const> = 5
local build <const> = arg[1] or "build"

local function output(command)
  local pipe <close> = assert(io.popen(command))
  return pipe:read "a", pipe:close()
end

local function run(command)
  local text, ok = output(command .. " 2>&1")
  if not ok then
    io.stderr:write("error: ", command, "\n", text)
    os.exit(1)
  end
  return text
end

--- The names of a folder's Lua files, sorted.
local function names(folder)
  local list = {}
  for name in output("LC_ALL=C ls " .. folder):gmatch "([%w_]+)%.lua\n" do list[#list + 1] = name end
  return list
end

local function flags()
  local file <close> = assert(io.open "runtime/cli/build.c")
  local list = {}
  for flag in file:read "a":match "FLAGS%[%] = {(.-)}":gmatch '"(.-)"' do list[#list + 1] = flag end
  return table.concat(list, " ")
end

--- User time of a command that the shell runs.
local function processor_seconds(command)
  local minutes, seconds = run(command .. " && times"):match "\n(%d+)m([%d.]+)s [^\n]*\n*$"
  return tonumber(minutes) * 60 + tonumber(seconds)
end

--- The options for a method; without an error estimate there is nothing to regularize.
local function with_method(name)
  local report = run(("%s/lrnde-gen --tableau tableaus/%s.lua"):format(build, name))
  return "--method " .. name .. (report:match "\nadaptive +false\n" and " --set regularize=false" or "")
end

--- Runs the generator; false if the method is not one for the model's kind of equation, its precision or its size.
local function generates(command)
  local text = output(command .. " 2>&1")
  for _, refusal in ipairs { "is a method for", "is for additive noise", "needs \"f64\"", "factorises the Jacobian" } do
    if text:find(refusal, 1, true) then return false end
  end
  run(command)
  return true
end

local tableaus, models = names "tableaus", #arg > 1 and { table.unpack(arg, 2) } or names "models"
local scratch = run "mktemp -d":gsub("\n", "")
local cc = ("CCACHE_DISABLE=1 %s %s -Iruntime"):format(os.getenv "CC" or "cc", flags())

print("compiling, seconds of processor time: " .. cc:match " (.*)")
print(("%-16s"):format "" .. (" %8s"):rep(#tableaus):format(table.unpack(tableaus)))
local slow = {}
for _, each in ipairs(models) do
  local file = each:find "/" and each or ("models/%s.lua"):format(each)
  local model = file:match "([^/]+)%.lua$"
  io.write(("%-16s"):format(model))
  for _, tableau in ipairs(tableaus) do
    if generates(("%s/lrnde-gen --target c %s --out %s %s"):format(build, with_method(tableau), scratch, file)) then
      local seconds = processor_seconds(("%s -o %s/model.so %s/%s.c -lm"):format(cc, scratch, scratch, model))
      io.write((" %8.2f"):format(seconds))
      if seconds >= LIMIT then slow[#slow + 1] = ("%s with %s"):format(model, tableau) end
    else
      io.write((" %8s"):format "-")
    end
    io.flush()
  end
  print()
end
print(("%d s or more: %s"):format(LIMIT, #slow > 0 and table.concat(slow, ", ") or "none"))
run("rm -r " .. scratch)
