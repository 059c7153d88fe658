--- The descriptor: all the runtime learns about a model, as C data (runtime/kernel.h).

local contract = require "language.contract"

local descriptor = {}

local function quote(s) return s and ('"%s"'):format(s:gsub('[\\"]', "\\%0"):gsub("\n", "\\n")) or "0" end
local function number(x) return x == math.floor(x) and math.abs(x) < 1e15 and ("%d."):format(x) or ("%a"):format(x) end
local function boolean(x) return x and "1" or "0" end

--- { a, b } as the initialiser of an array `type name[]`, or nothing if it is empty.
local function array(out, kind, name, items)
  if #items == 0 then return "0" end
  out[#out + 1] = ("static const %s %s[] = {\n    %s,\n};"):format(kind, name, table.concat(items, ",\n    "))
  return name
end

local function map(list, fn)
  local result = {}
  for i, x in ipairs(list) do result[i] = fn(x, i) end
  return result
end

local function array_desc(c) return ("{%s, %d, %s}"):format(quote(c.name), c.size, boolean(c.kind == "shared")) end

local function schedule(s) return ("{LRNDE_%s, %s, %s}"):format(s.kind:upper(), number(s.a), number(s.b)) end

--- k: a kernel as lrnde.lua emitted it.
local function kernel(k)
  local p = k.parts
  return ("{%s, %s, %s, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d}"):format(
    quote(k.name), p.tile and k.symbol .. "_tile" or "0", p.shared and k.symbol .. "_shared" or "0", p.shared or 0, p.n_sums,
    p.work, p.partial, k.count.flop, k.count.shared_flop, k.count.loads, k.count.stores, k.rhs_evals, k.diffusion_evals)
end

--- Adds the kernels of a system or model, which are called as its fields are.
local function add_kernels(fields, kernels)
  for _, name in ipairs(contract.names(kernels)) do fields[#fields + 1] = (".%s = %s"):format(name, kernel(kernels[name])) end
end

--- The rows of the matrix A, with their zeros.
local function coefficients(tab)
  local rows = {}
  for i = 1, tab.A and tab.stages or 0 do
    local row = {}
    for j = 1, tab.stages do row[j] = number(tab.A[i] and tab.A[i][j] or 0) end
    rows[i] = table.concat(row, ", ")
  end
  return rows
end

--- s: { system, tab, stepper, kernels, tape or nil, finish, rev_finish, start or nil }.
local function system(out, s, name)
  local tab, sys = s.tab, s.system
  local carry = s.stepper.carry_components(sys, tab)
  local interior = s.stepper.interior(tab)
  local start = s.start and system(out, s.start, name .. "_start")
  local past_states = sys.past_states and tab.past and #carry - tab.past * #sys.components or 0
  local c, extra = { table.unpack(tab.c or {}) }, s.kernels.extra and tab.dense.extra or 0
  table.move(tab.dense.extra_c or {}, 1, extra, #c + 1, c)
  local fields = {
    (".n_components = %d, .n_controlled = %d"):format(#sys.components, sys.controlled or #sys.components),
    (".n_carry = %d"):format(#carry),
    ".carry = " .. array(out, "lrnde_array_desc", name .. "_carry", map(carry, array_desc)),
    (".fsal = %s, .late = %s"):format(boolean(tab.fsal), boolean(tab.late)),
    (".start = %s, .n_start = %d, .past_states = %d"):format(start or "0", start and tab.past or 0, past_states),
    (".stages = %d, .order = %s"):format(tab.stages, number(tab.first_order or tab.order)),
    (".n_external = %d"):format(sys.external and tab.stages + extra or 0),
    ".external_c = " .. array(out, "double", name .. "_c", map(c, number)),
    (".n_noise = %d"):format(tab.noise or 0),
    ".a = " .. array(out, "double", name .. "_a", coefficients(tab)),
    (".n_k = %d, .n_extra = %d"):format(#interior, tab.dense.extra),
    (".tape = %d"):format(s.tape and s.tape.size or 0),
    (".n_sums = %d"):format(#(tab.err or {})),
    (".finish = %s, .rev_finish = %s"):format(s.finish or "0", s.rev_finish or "0"),
    (".controller = {%s}"):format(table.concat(map({ "beta1", "beta2", "gamma", "qmin", "qmax", "qsteady" }, function(key)
      return number(tab.controller[key])
    end), ", ")),
  }
  add_kernels(fields, s.kernels)
  out[#out + 1] = ("static const lrnde_system_desc %s = {\n    %s,\n};"):format(name, table.concat(fields, ",\n    "))
  return "&" .. name
end

local function param(out, m, leaf, i)
  local init, kinds = leaf.init, { constant = "CONSTANT", values = "CONSTANT", uniform = "UNIFORM", glorot = "GLOROT" }
  local values = init.kind == "values" and array(out, "double", m.name .. "_values" .. i, map(init.values, number)) or "0"
  local rows = #leaf.dims == 2 and leaf.dims[1] or (leaf.key_rank == 2 and leaf.dims[1] or 1)
  local cols = #leaf.dims == 2 and leaf.dims[2] or (leaf.key_rank == 2 and 1 or leaf.dims[1] or 1)
  return ("{%s, %d, %d, %d, %s, %d, %d, %d, LRNDE_INIT_%s, %s, %s, %s}"):format(
    quote(leaf.name), leaf.offset, rows, cols, quote(leaf.key), leaf.key_col, leaf.key_cols, leaf.key_rank, kinds[init.kind],
    number(init.a or 0), number(init.b or 0), values)
end

local ROW <const> = 4000              -- of a text: C compilers need not take string literals beyond 4095 characters

--- A text as an array of rows of ROW characters, one after another: a terminated string, written line by line.
local function long_text(out, name, text)
  local rows = {}
  for at = 1, #text + 1, ROW do
    local lines = {}
    for line in text:sub(at, at + ROW - 1):gmatch "[^\n]*\n?" do
      if line ~= "" then lines[#lines + 1] = '"' .. line:gsub('[\\"?]', "\\%0"):gsub("\n", "\\n") .. '"' end
    end
    rows[#rows + 1] = #lines > 0 and table.concat(lines, "\n    ") or '""'
  end
  out[#out + 1] = ("static const char %s[][%d] = {\n    %s,\n};"):format(name, ROW, table.concat(rows, ",\n    "))
  return name .. "[0]"
end

--- The texts of other backends that travel in the descriptor.
local function texts(out, p)
  return array(out, "lrnde_text", p.m.name .. "_texts", map(p.texts, function(x)
    return ("{%s, %s, %d, %d, {%s}}"):format(quote(x.backend), long_text(out, p.m.name .. "_" .. x.backend, x.text), x.tile, x.work,
                                             table.concat(x.own, ", "))
  end))
end

--- How gradients are computed; adjoint: the adjoint system, nil if there is none.
local function sensitivity(out, m, adjoint)
  local o = m.sensitivity.options
  local fields = { ("%s, LRNDE_STORE_%s, %d"):format(quote(m.sensitivity.name), m.sensitivity.store:upper(), o.checkpoints) }
  local function add(text, ...) fields[#fields + 1] = text:format(...) end
  if adjoint then
    local integrals = array(out, "lrnde_array_desc", m.name .. "_integrals", map(adjoint.integrals, array_desc))
    add(".atol = %s, .rtol = %s", number(o.atol), number(o.rtol))
    add(".n_integrals = %d, .integrals = %s", #adjoint.integrals, integrals)
  end
  if adjoint and adjoint.rule then
    local function numbers(key) return array(out, "double", m.name .. "_" .. key, map(adjoint.rule[key] or {}, number)) end
    add(".n_nodes = %d, .nodes = %s, .weights = %s", #adjoint.rule.nodes, numbers "nodes", numbers "weights")
    add(".differences = %s", numbers "differences")
  end
  if adjoint and adjoint.state then
    add(".state = 1, .bound = %s, .strict = %s", number(o.bound), boolean(o.strict))
  end
  return ("{%s}"):format(table.concat(fields, ",\n                    "))
end

--- p: what lrnde.build returned, its kernels emitted and its scalar functions named.  Returns C text.
function descriptor.text(p)
  local m, out = p.m, {}
  local name = m.name
  local r = m.regularize
  local forward = system(out, p.forward, name .. "_forward")
  local adjoint = p.adjoint and system(out, p.adjoint, name .. "_adjoint") or "0"
  local regularizer = p.regularizer and system(out, p.regularizer, name .. "_local") or "0"
  local names = m.state_names and array(out, "char *const", name .. "_state_names", map(m.state_names, quote)) or "0"
  local leaves = map(m.params.list, function(leaf, i) return param(out, m, leaf, i) end)
  local params = array(out, "lrnde_param_desc", name .. "_params", leaves)
  local inputs = array(out, "lrnde_input_desc", name .. "_inputs", map(m.data.inputs, function(x)
    return ("{%s, %d, %s, %s, %d}"):format(quote(x.name), x.size, boolean(x.series), boolean(x.label), x.classes or 0)
  end))
  local function arrays(suffix, list)
    return array(out, "lrnde_array_desc", name .. suffix, map(list, array_desc))
  end
  local function terms(suffix, list)
    return array(out, "lrnde_term_desc", name .. suffix, map(list, function(x)
      return ("{%s, %s}"):format(quote(x.name), number(x.weight or 1))
    end))
  end
  local options = array(out, "lrnde_option_desc", name .. "_data", map(m.data.options, function(o)
    return ("{%s, %s}"):format(quote(o[1]), quote(o[2]))
  end))
  local saveat = m.saveat.list or {}
  local fields = {
    ".abi = LRNDE_ABI",
    (".name = %s, .method = %s, .version = %s"):format(quote(name), quote(m.tab.name), quote(p.version)),
    (".real_bytes = %d, .accumulate_double = %s, .tile = %d"):format(
      m.precision == "f32" and 4 or 8, boolean(m.accumulate == "double"), m.tile),
    (".state = %d, .state_names = %s"):format(m.state, names),
    (".n_params = %d, .n_param_leaves = %d, .param_leaves = %s"):format(m.params.size, #m.params.list, params),
    (".n_inputs = %d, .inputs = %s"):format(#m.data.inputs, inputs),
    (".n_constants = %d, .constants = %s"):format(#m.constants, arrays("_constants", m.constants)),
    (".n_outputs = %d, .outputs = %s"):format(#p.outputs, arrays("_outputs", p.outputs)),
    (".n_loss = %d, .loss = %s"):format(#m.terms, terms("_loss", m.terms)),
    (".n_layers = %d, .layers = %s"):format(#p.layers, array(out, "char *const", name .. "_layers", map(p.layers, quote))),
    (".n_metrics = %d, .metrics = %s"):format(#m.metrics, terms("_metrics", m.metrics)),
    ".u0 = " .. (m.u0 and array(out, "double", name .. "_u0", map(m.u0, number)) or "0"),
    (".t0 = %s, .t1 = %s, .atol = %s, .rtol = %s"):format(
      number(m.solver.t0), number(m.solver.t1), number(m.solver.atol), number(m.solver.rtol)),
    (".tspan_data = %s"):format(boolean(m.solver.tspan_data)),
    (".n_saveat = %d, .saveat = %s, .saveat_data = %s"):format(
      #saveat, array(out, "double", name .. "_saveat", map(saveat, number)), boolean(m.saveat.from_data)),
    (".h = %s, .max_steps = %d"):format(number(m.solver.h), m.solver.max_steps),
    ".sensitivity = " .. sensitivity(out, m, p.adjoint and p.adjoint.system),
    (".data = {%s, %d, %s}"):format(quote(m.data.reader), #m.data.options, options),
    (".n_texts = %d, .texts = %s"):format(#p.texts, texts(out, p)),
    ".forward = " .. forward,
    ".adjoint = " .. adjoint,
  }
  if m.train then
    fields[#fields + 1] = (".train = {%s, %d, %s, %d, %d, %d, %d}"):format(
      quote(m.train.optimizer), m.train.module.slots, schedule(m.train.lr), m.train.batch, m.train.steps, m.train.evaluate_every,
      m.train.evaluate_trajectories)
  end
  if r then
    local regularizers = array(out, "lrnde_regularizer_term", name .. "_regularizers", map(r.terms, function(term)
      return ("{%s, %s, %s, %d, %s, %s}"):format(
        quote(term.name), schedule(term.coefficient), boolean(term.module.times_h(term.options)), term.first_sum, term.estimate,
        term.rev_estimate)
    end))
    fields[#fields + 1] = (".regularizer = {LRNDE_REG_%s, LRNDE_%s, %s, %s, %s, %d, %s, %s}"):format(
      r.sampling:upper(), r.gradient:upper(), boolean(r.step_size == "automatic"), boolean(r.points == "saveat"),
      boolean(r.include_start), #r.terms, regularizers, regularizer)
  end
  add_kernels(fields, p.kernels)
  out[#out + 1] = ("const lrnde_model_desc lrnde_%s = {\n    %s,\n};"):format(name, table.concat(fields, ",\n    "))
  return table.concat(out, "\n\n") .. "\n"
end

return descriptor
