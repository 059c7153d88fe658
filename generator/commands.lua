--- What lrnde-gen does besides generating: --list, --tableau, --check, --explain, --eval, --dump-after.

local host = require "host"
local ir = require "ir"

local backends = require "backends"
local derive = require "derive"
local json = require "json"
local kernel = require "kernel"
local local_step = require "local_step"
local memory = require "memory"
local network = require "language.network"
local probe = require "probe"
local sensitivity = require "language.sensitivity"
local sparsity = require "sparsity"
local tableau = require "language.tableau"
local value = require "language.value"
local vocabulary = require "language.vocabulary"

local commands = {}

local function line(text, ...) host.print(select("#", ...) > 0 and text:format(...) or text) end

-- What --list can show: a function giving { {name, about}.. }.
local lists = {}

local function embedded_orders(tab)
  return type(tab.embedded_order) == "table" and table.concat(tab.embedded_order, ",") or tab.embedded_order or "-"
end

local function folder(registry)
  return function()
    local list = {}
    for i, name in ipairs(registry:names()) do list[i] = { name, registry:get(name).doc } end
    return list
  end
end
lists.layers, lists.losses, lists.optimizers = folder(network.layers), folder(vocabulary.losses), folder(vocabulary.optimizers)
lists.readers = folder(require("language.data").readers)
lists.sensitivities, lists.regularizers = folder(vocabulary.sensitivities), folder(vocabulary.regularizers)
function lists.steppers() return folder(require("language.solver").steppers)() end
function lists.tableaus()
  local list = {}
  for i, name in ipairs(tableau.names()) do
    local tab = tableau.load(name)
    list[i] = { name, ("%s, order %g(%s), %d stages%s"):format(tab.family, tab.order, embedded_orders(tab), tab.stages,
                                                              tab.fsal and ", FSAL" or "") }
  end
  return list
end

-- The first sentence of the comment that a model file begins with.
local function about(text)
  local comment = ("\n" .. text):match "^(\n%-%-.-)\n[^-]" or ""
  comment = comment:gsub("\n%-+%s*", " ")
  return comment:match "^ (.-%.)%s+%u" or comment:sub(2)
end

function lists.models()
  local list = {}
  for _, entry in ipairs(assert(host.list(host.root .. "/models"))) do
    local name = entry:match "^(.*)%.lua$"
    if name then
      local text = host.read(host.root .. "/models/" .. entry)
      list[#list + 1] = { name, about(text) }
    end
  end
  return list
end
function lists.backends()
  local list = {}
  for i, name in ipairs(backends.names()) do list[i] = { name, backends.get(name).doc } end
  return list
end
function lists.passes()
  local list = {}
  for i, pass in ipairs(ir.passes) do list[i] = { pass.name, pass.doc } end
  return list
end
function lists.ops()
  local list = {}
  for i, op in ipairs(ir.ops) do list[i] = { op.name, op.doc } end
  return list
end

function commands.list(options)
  local make = lists[options.list]
  if not make then
    local known = {}
    for name in pairs(lists) do known[#known + 1] = name end
    table.sort(known)
    host.fail(("error: --list: there is no '%s' (known: %s)"):format(options.list, table.concat(known, ", ")))
  end
  local entries, width = make(), 16
  for _, entry in ipairs(entries) do width = math.max(width, #entry[1]) end
  for _, entry in ipairs(entries) do
    if options.json then
      line(json.object { { "name", entry[1] }, { "doc", entry[2] or json.null } })
    else
      line("%-" .. width .. "s %s", entry[1], entry[2] or "")
    end
  end
  return 0
end

function commands.tableau(options)
  local report = tableau.report(tableau.load(options.tableau))
  if options.json then
    for _, pair in ipairs(report) do if pair[2] == nil then pair[2] = json.null end end
    line(json.object(report))
    return 0
  end
  for _, pair in ipairs(report) do
    local shown = pair[2]
    if type(shown) == "table" then shown = table.concat(shown, ", ") end
    line("%-24s %s", pair[1], shown == nil and "-" or tostring(shown))
  end
  return 0
end

--- Calls visit(k, s, full name) for every kernel whose full name is `wanted`, or all.
local function kernels(lrnde, options, wanted, visit)
  local p, found, names = lrnde.build(options.model, options), false, {}
  lrnde.each_kernel(p, function(k, s, prefix)
    local name = prefix .. k.name
    names[#names + 1] = name
    if not wanted or wanted == name then
      found = true
      visit(k, s, name, p)
    end
  end)
  if not found then
    host.fail(("error: --eval: there is no kernel '%s' (known: %s)"):format(wanted, table.concat(names, ", ")))
  end
  return p
end

--- One JSON object a kernel: batch, inputs, outputs with terms, by the reference evaluator.
function commands.eval(options, lrnde)
  local batch = options.batch or 3
  if batch < 1 then host.fail("error: --batch 0: a batch has at least one sample") end
  kernels(lrnde, options, options.eval ~= "all" and options.eval or nil, function(k, _, name, p)
    local function describe(v, entry)
      entry.kind, entry.dims = v.kind, v.dims
      return entry
    end
    local graph, inputs, outputs = k.graph, {}, {}
    local numbers = probe.inputs(graph, p.m, batch, options.seed or 0)
    for _, id in ipairs(graph:inputs()) do
      local v = graph:value(id)
      inputs[v.name] = describe(v, { values = numbers[v.name] })
    end
    local results = graph:eval(numbers, batch, nil, options.copies)
    for _, o in ipairs(graph:outputs()) do
      local r = results[o.name]
      outputs[o.name] = describe(graph:value(o.value), { values = r.re, terms = r.terms })
    end
    line(json.object { { "kernel", name }, { "batch", batch }, { "inputs", inputs }, { "outputs", outputs } })
  end)
  return 0
end

function commands.dump_after(options, lrnde)
  local known = false
  for _, pass in ipairs(ir.passes) do known = known or pass.name == options.dump_after end
  if not known then host.fail(("error: --dump-after: there is no pass '%s'; see --list passes"):format(options.dump_after)) end
  kernels(lrnde, options, nil, function(k, _, name)
    lrnde.optimize(k.graph, options, function(pass, graph)
      if pass == options.dump_after then
        line("; %s after %s", name, pass)
        host.print(graph:text())
      end
    end)
  end)
  return 0
end

--- The derivative of <c, y> for random c along a random direction of all inputs: vjp against the complex step.
local function check_vjp(m, name, build, seed)
  local k = kernel.new(name, m.params)
  local inputs, outputs = build(k)
  local pairs_, wrt = {}, {}
  for i, y in ipairs(outputs) do
    k:output("y" .. i, y)
    local info = value.info(y)
    pairs_[i] = { y, value.input(k.graph, "c" .. i, info.kind, info.dims) }
  end
  for i, x in ipairs(inputs) do wrt[i] = x end
  for i, cot in pairs(derive.vjp(pairs_, wrt)) do k.graph:output("x" .. i, cot.id, false) end
  local batch = 2
  local numbers = probe.inputs(k.graph, m, batch, seed)
  local direction, names = {}, {}
  for i, x in ipairs(inputs) do
    names[i] = value.info(x).name
    local d = {}
    for j = 1, #numbers[names[i]] do d[j] = 2 * math.random() - 1 end
    direction[names[i]] = d
  end
  local step, tiny = {}, 1e-30
  for field, d in pairs(direction) do
    step[field] = {}
    for j, x in ipairs(d) do step[field][j] = tiny * x end
  end
  local by_step, by_vjp, scale = 0, 0, 0
  local results = k.graph:eval(numbers, batch, step)
  for i in ipairs(outputs) do
    for j, im in ipairs(results["y" .. i].im) do by_step = by_step + im / tiny * numbers["c" .. i][j] end
  end
  for i in ipairs(inputs) do
    local r = results["x" .. i]
    for j, x in ipairs(r and r.re or {}) do
      by_vjp, scale = by_vjp + x * direction[names[i]][j], scale + math.abs(x * direction[names[i]][j])
    end
  end
  return math.abs(by_step - by_vjp) / math.max(scale, 1e-300)
end

--- Checks a model without compiling anything: it loads, its kernels verify after every pass, its derivatives are right.
function commands.check(options, lrnde)
  local p = kernels(lrnde, options, nil, function(k) lrnde.optimize(k.graph, options) end)
  local m, worst = p.m, 0
  local function report(what, error)
    worst = math.max(worst, error)
    line("%-24s vjp against the complex step: %.1e", what, error)
  end
  local seed = options.seed or 0
  local function with_params(k, inputs)
    local _, leaves = k:leaves()
    return table.move(leaves, 1, #leaves, #inputs + 1, inputs)
  end
  line("%-24s %s, order %g(%s) measured, residual %.1e", "tableau", m.tab.name, m.tab.order, embedded_orders(m.tab),
       m.tab.residual)
  local function report_rate(name, rate)
    report(name, check_vjp(m, name, function(k)
      local u = k:component("carry[0]", m.system.components[1])
      local constants = m.stepper.read_constants(k, m.system)
      local f = rate(k, { u }, k:scalar "t", constants)
      return with_params(k, { u, table.unpack(constants) }), f
    end, seed))
  end
  report_rate(m.drift, m.system.rhs)
  if m.stochastic then report_rate("diffusion", m.system.diffusion) end
  --- Of a step, and of the method of the first steps.
  local function report_all(name, systems, make)
    for _, s in ipairs(systems) do
      report((s == p.forward.start and "start " or "") .. name, check_vjp(m, name, function(k) return make(k, s) end, seed))
    end
  end
  report_all("step", { p.forward, p.forward.start }, function(k, s)
    local step = s.stepper.carried_step(k, s.system, s.tab)
    local next = {}
    for _, v in ipairs(step.next) do if v then next[#next + 1] = v end end
    return with_params(k, step.carry), next
  end)
  report("output", check_vjp(m, "output", function(k)
    local u, y = k:array("in[0]", "sample", { m.state }), {}
    for i, o in ipairs(m:outputs(k, u, k:scalar "t")) do y[i] = o.value end
    return with_params(k, { u }), y
  end, seed))
  local local_by = m.regularize and p.local_steps[1]
  for _, term in ipairs(m.regularize and m.regularize.terms or {}) do
    report("estimate " .. term.name, check_vjp(m, "estimate", function(k)
      local estimate, inputs = term.module.estimate(k, local_by.tab, local_by.stepper, term.options), {}
      for q = 1, term.n_sums do inputs[q] = k:scalar(("sums[%d]"):format(q - 1)) end
      return inputs, { estimate }
    end, seed))
  end
  report_all("local step", p.local_steps or {}, function(k, s) return local_step.sums(k, m, s) end)
  if worst > 1e-9 then
    host.warn(("%s: error: a derivative is off by %.1e of its terms\n"):format(m.file, worst))
    return 1
  end
  return 0
end

-- The memory plan of every sensitivity algorithm: a formula, and what it gives for the model's batch and some lengths.
local function explain_memory(options, lrnde, m)
  local CHECKPOINTS <const> = 10
  line("memory of a gradient, bytes: B samples in whole tiles, S save times, T threads; n steps, m on the way back,")
  line("  c checkpoints, w = %s; stages are dense where save times lie within steps, where a local", m.solver.h > 0
    and "ceil(n/c)" or "2^ceil(log2(n/c)) or 1")
  line("  step's gradient is \"total\", and with any local step on a device that takes many steps by itself (cuda)")
  line("  %-34s %14s %14s   %s", "", "n = 100, c = 10", "n = 1000, c = 10", "formula")
  local function explain_one(name)
    local set = table.move(options.set or {}, 1, #(options.set or {}), 1, {})
    set[#set + 1] = { "sensitivity", name }
    local with = setmetatable({ set = set }, { __index = options })
    local p = lrnde.build(options.model, with)
    lrnde.generate(p, backends.carrier(), with)
    local batch = p.m.train and p.m.train.batch > 0 and p.m.train.batch or 1
    local known = { B = (batch + p.m.tile - 1) // p.m.tile * p.m.tile, S = p.m.saveat.list and #p.m.saveat.list or 1, T = 1,
                    c = CHECKPOINTS, fixed = p.m.solver.h > 0 }
    for _, row in ipairs(memory.plan(lrnde, p)) do
      local function bytes(n)
        known.n, known.m = n, n
        return memory.evaluate(row.formula, known)
      end
      line("  %-34s %14d %14d   %s", name .. ", " .. row.policy, bytes(100), bytes(1000), row.formula)
    end
  end
  for _, name in ipairs(vocabulary.sensitivities:names()) do
    if not sensitivity.missing(m, name) then explain_one(name) end
  end
end

--- The systems of equations of a step: how they are solved.
local function explain_systems(step)
  for _, block in ipairs(step.plan.blocks) do
    local v = block.kind == "product" and block.value
    if v and v.op == "lu" then
      local m = step.plan.values[v.args[1]].size
      local n, s = v.size - m, sparsity.get(v.attrs[1])
      if s then
        local given, filled = s:entries()
        line("systems of %d equations: %d of %d entries can differ from zero, %d of the factors; straight-line code", n, given, m,
             filled)
        line("  of %d operations to factorise and %d to solve instead of %d and %d; the loop takes over where partial pivoting",
             s.flops.lu, s.flops.lu_solve, 2 * (n * n * n // 3), 2 * n * n)
        line("  exchanges rows")
      else
        line("systems of %d equations: dense, %d operations to factorise, by %s, and %d to solve", n, 2 * (n * n * n // 3),
             v.solver, 2 * n * n)
      end
    end
  end
end

--- Costs and choices: a line a kernel, how equations are solved, then the memory plan.
function commands.explain(options, lrnde)
  local p = lrnde.build(options.model, options)
  local m = p.m
  lrnde.generate(p, backends.carrier(), options)
  local bytes = m.precision == "f32" and 4 or 8
  line("%s: %s, %s, tile %d, %d parameters", m.name, m.precision, m.tab.name, m.tile, m.params.size)
  line("%-26s %12s %12s %8s %8s %9s %8s  %s", "kernel", "flop/sample", "bytes/sample", "loads", "stores", "work rows", "blocks",
       "shape")
  lrnde.each_kernel(p, function(k, _, prefix)
    local maps, products, longest = 0, 0, 0
    for _, block in ipairs(k.plan.blocks) do
      if block.kind == "product" then products = products + 1 else maps = maps + 1 end
      longest = math.max(longest, #block.values)
    end
    line("%-26s %12d %12d %8d %8d %9d %8d  %d loops (longest %d statements), %d products%s", prefix .. k.name, k.count.flop,
         (k.count.loads + k.count.stores) * bytes, k.count.loads, k.count.stores, k.parts.work // m.tile, #k.plan.blocks, maps,
         longest, products, k.parts.shared and (", shared phase of %d"):format(k.parts.shared) or "")
  end)
  explain_systems(p.forward.kernels.step)
  for _, backend in ipairs(backends.chosen(options.target)) do
    if backend.explain then
      lrnde.generate(p, backend, options)
      backend.explain(p, lrnde, line)
    end
  end
  explain_memory(options, lrnde, m)
  return 0
end

return commands
