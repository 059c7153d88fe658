--- The command-line tools as the numeric suites call them: options in, the JSON they print out.
--
--   tool.solve("models/lotka_volterra.lua", { method = "bs3", mesh = { 0, 0.5, 1 }, set = { "precision=f32" } }).u[1]

local check = require "check"

local tool = {}

--- What the tools compile with; a suite of many models and little work names tests/quick_cc.sh.
tool.compiler = "cc"

--- A JSON object of numbers, lists of them and plain words, as a Lua table; null is NaN.
local function decode(line)
  local text = line:gsub("[%[%]]", { ["["] = "{", ["]"] = "}" }):gsub('"([%w_]+)":', '["%1"]='):gsub("null", "(0/0)")
  return assert(load("return " .. text, "=json", "t", {}), line)()
end

local function argument(x)
  if type(x) == "table" then
    local words = {}
    for i, item in ipairs(x) do words[i] = argument(item) end
    return table.concat(words, ",")
  end
  return type(x) == "number" and ("%.17g"):format(x) or tostring(x)
end

--- { saveat = { 1, 2 }, stats = true } as " --saveat '1,2' --stats"; a list under `set` is one --set each.
local function options_text(options)
  local words = {}
  for name, x in pairs(options) do
    for _, item in ipairs(name == "set" and x or { x }) do
      words[#words + 1] = item == true and " --" .. name or (" --%s '%s'"):format(name, argument(item))
    end
  end
  return table.concat(words)
end

--- Runs a tool on a model, on the CPU; every line it prints as a table.  It must end well.
local function run(name, model, options)
  local command = ("CC=%s %s --json --threads 1 --device cpu%s %s"):format(tool.compiler, check.tool(name), options_text(options), model)
  local text, status = check.run(command)
  if status ~= 0 then error(("%s\nexit status %d: %s"):format(command, status, text), 3) end
  local lines = {}
  for line in text:gmatch "{[^\n]*}" do lines[#lines + 1] = decode(line) end
  return lines
end

--- What lrnde-solve prints about the one sample.
function tool.solve(model, options) return run("lrnde-solve", model, options)[1] end

--- The lines of lrnde-train's log.
function tool.train(model, options) return run("lrnde-train", model, options) end

return tool
