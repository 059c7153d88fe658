--- A model's functions called with plain numbers: what they give must be what their trace gives.
--
-- A function is traced once, with values.  Comparing a value with a number by == cannot be caught in Lua: it is false,
-- always, and the trace takes that branch for good.  Called with numbers the comparison is real.  So a function is called at
-- random points, and at those where an == is likely to hold: everything 0, 1 or -1, the start of the solve, the parameters
-- as they are declared.

local contract = require "language.contract"
local kernel = require "kernel"
local numbers = require "language.numbers"

local trace_check = {}

local function length(info)
  local n = 1
  for _, d in ipairs(info.dims) do n = n * d end
  return n
end

local function filled(n, number)
  local list = {}
  for i = 1, n do list[i] = number() end
  return list
end

local function random() return 2 * math.random() - 1 end

-- A leaf as it is declared; weights of networks, which are drawn when training starts, at random.
local function declared(leaf)
  if leaf.init.kind == "values" then return leaf.init.values end
  return filled(leaf.size, leaf.init.kind == "constant" and function() return leaf.init.a end or random)
end

-- Points: how the numbers of an input that is no parameter are made.  The last is the start, where only u0 and t0 are known.
local function points(m)
  local list = { random, random }
  for _, number in ipairs { 0.0, 1.0, -1.0 } do list[#list + 1] = function() return number end end
  return list, { ["carry[0]"] = m.u0, ["in[0]"] = m.u0, t = { m.solver.t0 } }
end

-- Numbers for every input of a graph.
local function inputs_at(m, graph, number, special)
  local inputs = {}
  for _, id in ipairs(graph:inputs()) do
    local info = graph:value(id)
    local leaf = info.name:match "^params%.(.+)$"
    inputs[info.name] = special[info.name] or leaf and number ~= random and declared(m.params:leaf(leaf))
      or filled(length(info), leaf and random or number)
  end
  return inputs
end

-- Numbers where both are; an overflow on one side only is no matter of branches.
local function differ(a, b, terms)
  return contract.is_finite(a) and contract.is_finite(b) and math.abs(a - b) > 1e-9 * (1 + terms)
end

-- build(k) calls the function of a field in kernel k and gives the values it made.
local function check(m, field, build)
  local traced = kernel.new("traced", m.params)
  for i, v in ipairs(build(traced)) do traced.graph:output("y" .. i, v.id, false) end
  local makers, start = points(m)
  for i = 1, #makers + 1 do
    local number, special = makers[i] or random, makers[i] and {} or start
    local inputs = inputs_at(m, traced.graph, number, special)
    local plain = kernel.new("plain", m.params)
    plain.graph = numbers.graph(setmetatable(inputs, { __index = function(_, name)
      local leaf = m.params:leaf(name:match "^params%.(.+)$" or "")
      return leaf and declared(leaf) or special[name] or nil
    end }))
    local expected = traced.graph:eval(inputs, 1)
    for j, v in ipairs(build(plain)) do
      local y = expected["y" .. j]
      for e, got in ipairs(v.g:list(v.id)) do
        if differ(got, y.re[e], y.terms[e]) then
          m:fail_at(field, "gives %.6g when it is called with numbers where its trace gives %.6g: it branches on a value, "
                    .. "perhaps by ==; use L.where and L.eq", got, y.re[e])
        end
      end
    end
  end
end

--- Checks every function of the model, or raises the user's error.
function trace_check.run(m)
  math.randomseed(0, 0x9e3779b9)
  local function is_function(field) return type(m.spec[field]) == "function" end
  local function check_rate(field, rate)
    if not is_function(field) then return end
    check(m, field, function(k)
      return rate(k, { k:component("carry[0]", m.system.components[1]) }, k:scalar "t", m.stepper.read_constants(k, m.system))
    end)
  end
  check_rate(m.drift, m.system.rhs)
  check_rate("diffusion", m.system.diffusion)
  if is_function "output" then
    check(m, "output", function(k)
      local list = {}
      for i, o in ipairs(m:outputs(k, k:array("in[0]", "sample", { m.state }), k:scalar "t")) do list[i] = o.value end
      return list
    end)
  end
  if is_function "u0" then check(m, "u0", function(k) return m:start(k) end) end
end

return trace_check
