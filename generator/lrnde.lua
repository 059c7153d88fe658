--- The pipeline, from a model file to generated code.  Read this first.
--
--   language/model.lua    loads and checks the file: an initial value problem, outputs, a loss
--   steppers/<family>     expands the tableau over the problem: rhs, step, dense output, local step
--   sensitivities/<name>  their reverses, or an adjoint system that the stepper expands in turn
--   local_step, head      what regularizers/ sum over a step, outputs and loss, the optimizer's update
--   passes/*.c            fold, cse, unroll, lincomb, dce: verified after each
--   schedule, emit        blocks and storage; statements, through the backend's spelling and shape
--   outline               loops that the kernels have in common
--   templates/<backend>   the files

local host = require "host"
local ir = require "ir"

local adjoint = require "adjoint"
local backends = require "backends"
local commands = require "commands"
local contract = require "language.contract"
local depfile = require "depfile"
local descriptor = require "descriptor"
local fields = require "fields"
local head = require "head"
local header = require "header"
local local_step = require "local_step"
local locate = require "locate"
local model = require "language.model"
local outline = require "outline"
local schedule = require "schedule"
local scalar_function = require "scalar_function"
local template = require "template"

local lrnde = {}

--- What the fields of a system's kernels are called: carry[0] is u, k[0] the first interior stage, ...
local function field_names(m, s)
  local names = { carry = {}, next = {}, k = {}, noise = { "dW", "dZ" }, constants = {}, data = {} }
  local n = #s.system.components
  for i, c in ipairs(s.stepper.carry_components(s.system, s.tab)) do
    names.carry[i] = c.name
    names.next[i] = i > n and i <= 2 * n and s.tab.stages > 1 and c.name:gsub("^k1", "k" .. s.tab.stages) or c.name .. "1"
  end
  for slot, i in ipairs(s.stepper.interior(s.tab)) do names.k[slot] = "k" .. i end
  for i, constant in ipairs(m.constants) do names.constants[i] = constant.name end
  for i, input in ipairs(m.data.inputs) do names.data[i] = input.name end
  return names
end

--- The kernels of these names of one system by one method (tab, stepper):
-- { system, tab, stepper, kernels (by name), tape (nil: none), start = the same by the method of the first steps (nil: none) }.
local function system_kernels(m, system, by, names)
  local s = { system = system, tab = by.tab, stepper = by.stepper, kernels = {} }
  for _, name in ipairs(names) do s.kernels[name] = s.stepper.kernel(name, system, s.tab, m.params) end
  if by.start then s.start = system_kernels(m, system, by.start, { "step" }) end
  return s
end

--- Adds the kernels of a table to those of a system or model.
local function add_kernels(s, kernels)
  for name, k in pairs(kernels) do s.kernels[name] = k end
end

-- What any integration takes.
local INTEGRATION <const> = { "rhs", "first", "second", "step" }
local DENSE <const> = { "extra", "dense" }

local function joined(...)
  local list = {}
  for _, names in ipairs { ... } do table.move(names, 1, #names, #list + 1, list) end
  return list
end

--- The reverse of the forward system's kernels, or an adjoint system with kernels of its own.
local function add_sensitivity(p, m)
  local sensitivity = m.sensitivity.module
  if sensitivity.kernels then
    local reverse, tape = sensitivity.kernels(p.forward, m.params)
    add_kernels(p.forward, reverse)
    p.forward.tape = tape
    if p.forward.start then add_kernels(p.forward.start, sensitivity.start_kernels(p.forward.start, m.params)) end
  else
    local system = sensitivity.adjoint(m.system, m.params, m.tab, m.sensitivity.options)
    p.adjoint = system_kernels(m, system, m.method, joined(INTEGRATION, system.rule and DENSE or {}))
    add_kernels(p.adjoint, adjoint.kernels(system, m.params, m.stepper))
  end
end

--- Those of the local step: of one of the solve's own, of the step that a fresh solve begins with, or of one by another method.
local function add_local_step(p, m)
  local by, fresh = m.regularize.method, m.regularize.step_size == "automatic"
  if by then p.regularizer = system_kernels(m, m.system, by, INTEGRATION) end
  p.local_steps = { p.regularizer or fresh and p.forward.start or p.forward, not (by or fresh) and p.forward.start or nil }
  for _, s in ipairs(p.local_steps) do add_kernels(s, local_step.kernels(m, s)) end
end

local function build(path, options)
  local m = model.load(path, options)
  local p = { m = m, version = host.version, texts = {} }
  p.forward = system_kernels(m, m.system, m.method, joined(INTEGRATION, DENSE, { "rev_dense" }))
  add_sensitivity(p, m)
  p.kernels, p.outputs = head.kernels(m)
  p.kernels.locate, p.layers = locate.kernel(m)
  for _, o in ipairs(p.outputs) do o.macro = "OUTPUT_" .. o.name:upper() end
  if m.regularize then add_local_step(p, m) end
  return p
end

--- Everything a model needs, as graphs: { m, kernels, forward, adjoint, regularizer = what takes the local step, if it is not a
-- method of forward, local_steps = by what one may be taken }.
function lrnde.build(path, options) return contract.attempt(path, build, path, options) end

--- Every kernel of p in a fixed order, each with the system whose fields it uses: calls visit(k, s, prefix).
function lrnde.each_kernel(p, visit)
  local function all(kernels, s, prefix)
    local names = {}
    for name in pairs(kernels) do names[#names + 1] = name end
    table.sort(names)
    for _, name in ipairs(names) do visit(kernels[name], s, prefix) end
  end
  local function all_of(s, prefix)
    all(s.kernels, s, prefix)
    if s.start then all_of(s.start, prefix .. "start_") end
  end
  all_of(p.forward, "")
  if p.adjoint then all_of(p.adjoint, "adjoint_") end
  if p.regularizer then all_of(p.regularizer, "local_") end
  all(p.kernels, p.forward, "")
end

--- The passes over a kernel's graph; dump(name, graph) sees what each leaves.
function lrnde.optimize(graph, options, dump)
  for _, pass in ipairs(ir.passes) do
    graph = graph:pass(pass.name, { unroll_budget = options.unroll_budget or 1500, unroll_width = 8 })
    if dump then dump(pass.name, graph) end
  end
  return graph
end

--- Kernels as text in a backend: sets k.title, k.text, k.parts, k.count, k.symbol; returns them in order, and the loops they
-- share.
local function emit_kernels(p, backend, options)
  local m, list, loops = p.m, {}, outline.new(p.m.name)
  lrnde.each_kernel(p, function(k, s, prefix)
    local graph = lrnde.optimize(k.graph, options)
    local f = fields.new(field_names(m, s), m.params, s.tape and s.tape.size or 0)
    k.title = prefix .. k.name
    k.symbol = ("%s_%s_%s"):format(m.name, k.title, m.precision)
    k.count = graph:count()
    local function plan()
      return schedule.plan(graph, {
        gathers = backend.gathers, gradient_size = m.params.size,
        leaf = function(name) return m.params:leaf(name) end,
        is_shared = function(field) return f:is_shared(field) end })
    end
    k.plan = plan()
    k.body, k.parts = backend.shape.kernel(k.plan, backend, f, {
      name = k.symbol, title = k.title, formulas = s.stepper.formulas(s.tab), loops = loops, again = plan })
    list[#list + 1] = k
  end)
  for _, k in ipairs(list) do k.text = k.body:text() end
  return list, loops:functions()
end

local function generate(p, backend, options)
  local m = p.m
  backend.set_model(m)
  local kernels, loops = emit_kernels(p, backend, options)
  local functions = scalar_function.all(p, backend)
  local passes = {}
  for i, pass in ipairs(ir.passes) do passes[i] = pass.name end
  local env = {
    p = p, m = m, version = host.version, loops = loops, kernels = kernels, functions = functions, tables = descriptor.text(p),
    outputs = p.outputs, real = m.precision == "f32" and "float" or "double", upper = m.name:upper(),
    base = m.file:match "[^/]+$", backend = backend, excerpt = header.excerpt, abi = header.constant "LRNDE_ABI",
    math = backend.math(), passes = table.concat(passes, " "), command_line = options.command_line or "",
  }
  local files = {}
  for _, file in ipairs(backend.files) do
    files[m.name .. file.extension] = template.fill(("templates/%s/%s"):format(backend.name, file.template), env)
  end
  if backend.carried then
    local work = 0
    for _, k in ipairs(kernels) do work = math.max(work, k.parts.work) end
    local text = files[m.name .. "." .. backend.extension]
    p.texts[#p.texts + 1] = { backend = backend.name, text = text, tile = backend.tile, work = work, own = backend.own() }
  end
  return files
end

--- The files of a backend, { [name] = text }.  A backend that is carried leaves its text to those generated after it.
function lrnde.generate(p, backend, options) return contract.attempt(p.m.file, generate, p, backend, options) end

--- The program: options as host/options.def has them; returns the exit status.
function lrnde.main(options)
  for _, name in ipairs { "list", "tableau" } do
    if options[name] then return commands[name](options) end
  end
  if not options.model then host.fail("error: no model file; see lrnde-gen --help") end
  for _, name in ipairs { "check", "explain", "eval", "dump_after" } do
    if options[name] and options.depfile then host.fail(("error: --depfile: --%s generates nothing"):format(name:gsub("_", "-"))) end
    if options[name] then return commands[name](options, lrnde) end
  end
  local p = lrnde.build(options.model, options)
  local out = options.out or "generated/" .. p.m.name
  local files = {}
  for _, backend in ipairs(backends.chosen(options.target)) do
    for name, text in pairs(lrnde.generate(p, backend, options)) do files[name] = text end
  end
  for name, text in pairs(files) do host.write(out .. "/" .. name, text, options.depfile ~= nil) end  -- make goes by dates
  if options.depfile then host.write(options.depfile, depfile.text(out, files)) end
  return 0
end

return lrnde
