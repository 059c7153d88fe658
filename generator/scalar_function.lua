--- Scalars of sums: E, S and their derivatives, as plain functions of doubles.
--
--   double f(const double *sums, double n);
--   void rev_f(const double *sums, double n, double cot, double *cot_sums);
--
-- They come from graphs like everything else, so that a method's way of making E of its sums is data.

local derive = require "derive"
local kernel = require "kernel"

local scalar_function = {}

--- Statements of a graph of shared scalars, and the C text of each output.
local function statements(graph, backend)
  local text, lines = {}, {}
  local outputs = graph:outputs()
  for id = 0, graph:size() - 1 do
    local v = graph:value(id)
    if v.op == "const" then
      text[id] = backend.double(v.number)
    elseif v.op == "input" then
      text[id] = v.name
    else
      local args = {}
      for i, a in ipairs(v.args) do args[i] = text[a] end
      text[id] = "v" .. id
      lines[#lines + 1] = ("    const double v%d = %s;"):format(id, backend.op(v.op, args, "double"))
    end
  end
  local results = {}
  for _, o in ipairs(outputs) do results[o.name] = text[o.value] end
  return table.concat(lines, "\n"), results
end

local function optimize(graph)
  for _, pass in ipairs { "fold", "cse", "dce" } do graph = graph:pass(pass, {}) end
  return graph
end

--- Text of f and rev_f; make(k) builds the scalar in kernel k.  n_sums: entries of sums.
local function pair(name, n_sums, make, backend)
  local forward = kernel.new(name)
  forward:output("result", make(forward))
  local body, results = statements(optimize(forward.graph), backend)

  local reverse = kernel.new(name)
  local y = make(reverse)
  local sums = {}
  for q = 1, n_sums do sums[q] = reverse:scalar(("sums[%d]"):format(q - 1)) end
  local cot = derive.vjp({ { y, reverse:scalar "cot" } }, sums)
  for q = 1, n_sums do reverse:output(("cot_sums[%d]"):format(q - 1), cot[q] or reverse:const(0)) end
  local rev_body, rev_results = statements(optimize(reverse.graph), backend)
  local stores = {}
  for q = 0, n_sums - 1 do
    local field = ("cot_sums[%d]"):format(q)
    stores[#stores + 1] = ("    %s = %s;"):format(field, rev_results[field])
  end
  local function joined(...)
    local parts = {}
    for _, part in ipairs { ... } do if part ~= "" then parts[#parts + 1] = part end end
    return table.concat(parts, "\n")
  end
  return joined(("static double %s(const double *sums, double n)\n{"):format(name), "    (void)n;", body,
                ("    return %s;\n}\n"):format(results.result)) .. "\n" ..
         joined(("static void rev_%s(const double *sums, double n, double cot, double *cot_sums)\n{"):format(name),
                "    (void)n, (void)sums;", rev_body, table.concat(stores, "\n"), "}\n")
end

--- The functions of p, and their names in p.forward, p.adjoint and the terms of the regularizer.
function scalar_function.all(p, backend)
  local m, list = p.m, {}
  local function add(name, n_sums, make)
    list[#list + 1] = pair(name, n_sums, make, backend)
    return name, "rev_" .. name
  end
  --- Of systems by one method; the error of a start is made as that of what it starts.
  local function add_finish(name, by, systems)
    if not by.tab.err then return end
    local finish, rev_finish = add(m.name .. name, #by.tab.err, function(k) return by.stepper.finish(k, by.tab) end)
    for _, s in ipairs(systems) do
      for _, x in ipairs { s, s.start } do x.finish, x.rev_finish = finish, rev_finish end
    end
  end
  add_finish("_finish", m, { p.forward, p.adjoint })
  if p.regularizer then add_finish("_local_finish", p.regularizer, { p.regularizer }) end
  local by = m.regularize and p.local_steps[1]
  for i, term in ipairs(m.regularize and m.regularize.terms or {}) do
    term.estimate, term.rev_estimate = add(("%s_estimate%d"):format(m.name, i), term.n_sums, function(k)
      return term.module.estimate(k, by.tab, by.stepper, term.options)
    end)
  end
  return list
end

return scalar_function
