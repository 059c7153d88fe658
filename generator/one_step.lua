--- One-step methods with stages: all that methods have in common whose stages k_i combine alike,
--
--   u1 = u + h sum b_i k_i,  e = h sum e_i k_i,  r = e / (atol + max(|u|, |u1|) rtol)
--   E  = RMS(r) over all components and samples                                     (Hairer, Norsett, Wanner I, II.4)
--   u(t + theta h) = u + h sum b_i(theta) k_i
--
-- whatever makes the stages.  A family (steppers/) brings `step`, which makes them, and `formulas`, which says so to the
-- reader of the emitted text; one_step.stepper adds the rest.  Of a method that remembers steps before (tab.past) all but the
-- step itself is the same.
--
-- A tableau without an error estimate steps with a fixed h; the one sum of its step, sum u1^2, says whether u1 is finite.
--
-- A system is { components = { {name, kind, size, atol_shares = of each feature or nil}.. }, rhs = function(k, u, t, constants,
-- external) -> list, constants = { {name, size}.. }, external = size or nil, external_rate = its time derivative, function(k,
-- external, t, constants), controlled = how many components, the first, error norms see (nil: all), past_states }.  The carry is
-- the components, then, if the method is FSAL, their k_1, then what it wants to remember: the k_1 of the tab.past steps before
-- and, if the system has past_states, the components there.  Everything here is built by the functions below and differentiated
-- by derive.lua; nothing is written twice.

local value = require "language.value"
local kernel = require "kernel"
local derive = require "derive"

local one_step = {}

-- u + h sum_j weights[j] k[j] for one component; zero weights are left out, h nil: 1.  texts: the weights as their source has
-- them; row: what h times a weight is called.
local function combine(k, u, h, weights, texts, stages, row)
  local z = u
  for j, w in ipairs(weights) do
    if w ~= 0 then
      local step = k:const(w, texts and texts[j])
      if h then
        step = h * step
        k.graph:name(step.id, ("%s_%d"):format(row, j))
      end
      z = z and z + step * stages[j] or step * stages[j]
    end
  end
  return z
end

local function each_component(system, make)
  local list = {}
  for c = 1, #system.components do list[c] = make(c, system.components[c]) end
  return list
end

--- Names what a step computes, for the reader of the emitted text: k3, z3, u1; other components carry their own name.  text nil:
-- it has none.
function one_step.name(k, system, list, text)
  for c, v in ipairs(list) do
    if text and value.info(v).op ~= "input" then
      k.graph:name(v.id, c == 1 and text or text .. "_" .. system.components[c].name)
    end
  end
  return list
end

--- u + h sum_j weights[j] k_j, of every component; u nil: without it, h nil: 1.  stages: lists over components; text: its name.
function one_step.combine(k, system, u, h, weights, texts, stages, row, text)
  return one_step.name(k, system, each_component(system, function(c)
    local column = {}
    for i, stage in ipairs(stages) do column[i] = stage[c] end
    return combine(k, u and u[c], h, weights, texts, column, row)
  end), text)
end

--- A coefficient in a formula of the emitted text: as it was written if that is short, "h (1/2 k1 + a3_2 k2)".
function one_step.coefficient(text, symbol) return #text <= 6 and text or symbol end

--- factor, "h" unless it is given, times that sum; of: what stages are called, "k" unless it is given.
function one_step.weighted(weights, texts, symbol, factor, of)
  local terms = {}
  for j, w in ipairs(weights) do
    if w ~= 0 then terms[#terms + 1] = ("%s %s%d"):format(one_step.coefficient(texts[j], symbol .. j), of or "k", j) end
  end
  return (factor or "h") .. " (" .. table.concat(terms, " + "):gsub("%+ %-", "- ") .. ")"
end

--- What every family tells of a step: { [name of a value] = formula }.
function one_step.formulas(tab)
  local errors = {}
  for q, weights in ipairs(tab.err or {}) do errors[q] = one_step.weighted(weights, tab.text.err[q], ("e%d_"):format(q)) end
  return { u1 = "u1 = u + " .. one_step.weighted(tab.b, tab.text.b, "b_"), err = "err = " .. table.concat(errors, " and ") }
end

--- The fields of a carry-like table: groups of as many as there are components, one group after another.
function one_step.carry_components(system, tab)
  local list = {}
  local function group(name)
    for _, component in ipairs(system.components) do
      list[#list + 1] = { name = name:format(component.name), kind = component.kind, size = component.size }
    end
  end
  table.move(system.components, 1, #system.components, 1, list)
  if tab.fsal then group "k1_%s" end
  for i = 1, tab.past or 0 do group("k1_" .. i .. "_%s") end
  for i = 1, system.past_states and tab.past or 0 do group("%s_" .. i) end
  return list
end

--- A carry by its groups: { u, k1 (FSAL), past = { k1 one step before, .. }, past_u = { u one step before, .. } }.
function one_step.groups(system, tab, carry)
  local n, at = #system.components, 0
  local function group()
    at = at + n
    return { table.unpack(carry, at - n + 1, at) }
  end
  local groups = { u = group(), past = {}, past_u = {} }
  groups.k1 = tab.fsal and group() or nil
  for i = 1, tab.past or 0 do groups.past[i] = group() end
  for i = 1, system.past_states and tab.past or 0 do groups.past_u[i] = group() end
  return groups
end

function one_step.read_carry(k, system, tab, field)
  local list = {}
  for i, component in ipairs(one_step.carry_components(system, tab)) do
    list[i] = k:component(("%s[%d]"):format(field, i - 1), component)
  end
  return list
end

function one_step.read_constants(k, system)
  local list = {}
  for i, constant in ipairs(system.constants) do
    list[i] = k:array(("constants[%d]"):format(i - 1), "sample", { constant.size })
  end
  return list
end

function one_step.read_external(k, system, i)
  return system.external and k:array(("external[%d]"):format(i), "sample", { system.external }) or nil
end

function one_step.evaluate(k, system, u, t, constants, external)
  k.rhs_evals = k.rhs_evals + 1
  return system.rhs(k, u, t, constants, external)
end

--- The sum over the entries of v, one of a component's values.
function one_step.total(component, v)
  local s = value.sum(v)
  return component.kind == "sample" and value.batch_sum(s) or s
end

--- The components that error norms see, with their numbers.
local function controlled(system)
  return ipairs { table.unpack(system.components, 1, system.controlled or #system.components) }
end

--- What an error of a component is measured by, given its size: atol + size rtol.
function one_step.scale(k, component, size)
  local atol = k:scalar "atol"
  if component.atol_shares then atol = atol * value.lift(k.graph, component.atol_shares) end
  return atol + size * k:scalar "rtol"
end

--- The error sums of a step, a list over error vectors of the values of the components.
function one_step.error_sums(k, system, tab, step, h, scaled)
  local sums = {}
  for q, weights in ipairs(tab.err) do
    local err = step.err and step.err[q]
                or one_step.combine(k, system, nil, h, weights, tab.text.err[q], step.k, "h_e" .. q, "err")
    sums[q] = {}
    for c, component in controlled(system) do
      local e = err[c]
      if scaled then e = e / one_step.scale(k, component, value.max(value.abs(step.u[c]), value.abs(step.u1[c]))) end
      sums[q][c] = one_step.total(component, e * e)
    end
  end
  return sums
end

local function put_sums(k, sums)
  for q, parts in ipairs(sums) do
    for _, part in ipairs(parts) do k:accumulate(("sums[%d]"):format(q - 1), part) end
  end
end
one_step.put_sums = put_sums

--- E of the error sums, as a graph over inputs sums[i] and n.  Zero sums give E = 0 with derivative 0.
function one_step.finish(k, tab)
  local n = k:scalar "n"
  local function root(x) return value.select(x, value.sqrt(value.select(x, x, 1)), 0) end
  local first = k:scalar "sums[0]" / n
  if tab.combine ~= "hairer53" then return root(first) end
  local second = k:scalar "sums[1]" / n
  local denominator = root(first + 0.01 * second)              -- err5^2 / sqrt(err5^2 + 0.01 err3^2)
  return value.select(denominator, first / value.select(denominator, denominator, 1), 0)
end

--- Which stages of component 1 a record keeps beside carry and next.
function one_step.interior(tab)
  local list = {}
  if tab.dense.hermite or tab.dense.linear then return list end
  for i = tab.fsal and 2 or 1, tab.fsal and tab.stages - 1 or tab.stages do list[#list + 1] = i end
  return list
end

--- The stages of dense output, extra ones included, of component 1 as a record holds them.
local function read_stages(k, system, tab, carry, next_carry)
  local n, stages = #system.components, {}
  if tab.fsal then stages[1], stages[tab.stages] = carry[n + 1], next_carry[n + 1] end
  for slot, i in ipairs(one_step.interior(tab)) do
    stages[i] = k:component(("k_in[%d]"):format(slot - 1), system.components[1])
  end
  return stages
end

--- Where a record has what a step of one component computed: { [id of a value] = field }.
function one_step.recorded(system, tab, step)
  local n, fields = #system.components, { [step.u1[1].id] = "next_in[0]" }
  for slot, i in ipairs(one_step.interior(tab)) do fields[step.k[i][1].id] = ("k_in[%d]"):format(slot - 1) end
  if tab.fsal then
    fields[step.k[1][1].id] = ("carry[%d]"):format(n)
    if not tab.late then fields[step.k[tab.stages][1].id] = ("next_in[%d]"):format(n) end
  end
  return fields
end

--- Adds the extra stages of dense output to `stages` (component 1); u, t, h as in step.
function one_step.extra_stages(k, system, tab, u, t, h, constants, stages)
  for e = 1, tab.dense.extra do
    local z = combine(k, u, h, tab.dense.extra_A[e], tab.text.extra_A and tab.text.extra_A[e], stages, "h_a" .. tab.stages + e)
    local external = one_step.read_external(k, system, tab.stages + e - 1)
    stages[tab.stages + e] = one_step.evaluate(k, system, { z }, t + tab.dense.extra_c[e] * h, constants, external)[1]
  end
end

--- u(t + theta h) = u + h sum_i b_i(theta) k_i, b_i a polynomial in theta without constant term.
local function interpolate(k, tab, u, h, theta, stages)
  local result = u
  for i = 1, tab.dense.stages do
    local b
    for j = tab.dense.degree, 1, -1 do                             -- Horner
      local c = tab.dense.poly[i][j] or 0
      if b then b = b * theta + c elseif c ~= 0 then b = k:const(c) end
    end
    if b then result = result + (h * (b * theta)) * stages[i] end
  end
  return result
end

-- The kernels.  Each is built when it is asked for; lrnde.lua asks for those the model needs.

local kernels = {}

function kernels.rhs(k, system)
  local u = one_step.read_carry(k, system, { fsal = false }, "carry")
  local constants, external = one_step.read_constants(k, system), one_step.read_external(k, system, 0)
  local f = one_step.evaluate(k, system, u, k:scalar "t", constants, external)
  for c, v in ipairs(f) do k:output(("out[%d]"):format(c - 1), v) end
end

--- Norms of the automatic first step: sum (u/sc)^2 and sum (f0/sc)^2.
function kernels.first(k, system)
  for c, component in controlled(system) do
    local u, f0 = k:component(("carry[%d]"):format(c - 1), component), k:component(("in[%d]"):format(c - 1), component)
    local scale = one_step.scale(k, component, value.abs(u))
    for q, x in ipairs { u / scale, f0 / scale } do
      k:accumulate(("sums[%d]"):format(q - 1), one_step.total(component, x * x))
    end
  end
end

--- Of the second derivative, from f after h = dt0.
function kernels.second(k, system)
  local h, u1, u, f0 = k:scalar "h", {}, {}, {}
  for c, component in ipairs(system.components) do
    u[c], f0[c] = k:component(("carry[%d]"):format(c - 1), component), k:component(("in[%d]"):format(c - 1), component)
    u1[c] = u[c] + h * f0[c]
  end
  local constants, external = one_step.read_constants(k, system), one_step.read_external(k, system, 0)
  local f1 = one_step.evaluate(k, system, u1, k:scalar "t" + h, constants, external)
  for c, component in controlled(system) do
    local x = (f1[c] - f0[c]) / one_step.scale(k, component, value.abs(u[c]))
    k:accumulate("sums[0]", one_step.total(component, x * x))
  end
end

function one_step.put_step(k, system, tab, step)
  for i, v in ipairs(step.next) do if v then k:output(("next[%d]"):format(i - 1), v) end end
  for slot, i in ipairs(one_step.interior(tab)) do k:output(("k[%d]"):format(slot - 1), step.k[i][1]) end
  if tab.err then
    put_sums(k, one_step.error_sums(k, system, tab, step, k:scalar "h", true))
  else
    put_sums(k, { each_component(system, function(c) return one_step.total(system.components[c], step.u1[c] * step.u1[c]) end) })
  end
end

--- nil where the method's interpolant needs no extra stage.
function kernels.extra(k, system, tab)
  if tab.dense.extra == 0 then return false end
  local carry, next_carry = one_step.read_carry(k, system, tab, "carry"), one_step.read_carry(k, system, tab, "next_in")
  local stages = read_stages(k, system, tab, carry, next_carry)
  one_step.extra_stages(k, system, tab, carry[1], k:scalar "t", k:scalar "h", one_step.read_constants(k, system), stages)
  local interior = #one_step.interior(tab)
  for e = 1, tab.dense.extra do k:output(("k[%d]"):format(interior + e - 1), stages[tab.stages + e]) end
end

--- Cubic Hermite: from u and f at both ends.
local function hermite(h, theta, u, f, u1, f1)
  local inside = theta * (theta - 1)
  return (1 - theta) * u + theta * u1 + (inside * (1 - 2 * theta)) * (u1 - u) + (inside * (theta - 1) * h) * f
         + (inside * theta * h) * f1
end

--- carry, next_carry, the stages of component 1 that are in neither, u(t + theta h).
local function read_dense(k, system, tab)
  local carry, next_carry = one_step.read_carry(k, system, tab, "carry"), one_step.read_carry(k, system, tab, "next_in")
  local h, theta, n = k:scalar "h", k:scalar "theta", #system.components
  if tab.dense.linear then return carry, next_carry, {}, carry[1] + theta * (next_carry[1] - carry[1]) end
  if tab.dense.hermite then
    return carry, next_carry, {}, hermite(h, theta, carry[1], carry[n + 1], next_carry[1], next_carry[n + 1])
  end
  local stages, interior = read_stages(k, system, tab, carry, next_carry), #one_step.interior(tab)
  for e = 1, tab.dense.extra do
    stages[tab.stages + e] = k:component(("k_in[%d]"):format(interior + e - 1), system.components[1])
  end
  return carry, next_carry, stages, interpolate(k, tab, carry[1], h, theta, stages)
end

function kernels.dense(k, system, tab)
  local _, _, _, u = read_dense(k, system, tab)
  k:output("out[0]", u)
end

--- The transpose of dense, which is linear in everything it reads.
function kernels.rev_dense(k, system, tab)
  local carry, next_carry, stages, u = read_dense(k, system, tab)
  local wrt, fields = {}, {}
  local function want(field, list)
    for i, v in ipairs(list) do wrt[#wrt + 1], fields[#fields + 1] = v, field(i - 1) end
  end
  local interior = {}
  for _, i in ipairs(one_step.interior(tab)) do interior[#interior + 1] = stages[i] end
  for e = 1, tab.dense.extra do interior[#interior + 1] = stages[tab.stages + e] end
  want(function(i) return ("cot_carry[%d]"):format(i) end, carry)
  want(function(i) return ("out[%d]"):format(i) end, next_carry)
  want(function(i) return ("out[%d]"):format(#next_carry + i) end, interior)
  local cotangents = derive.vjp({ { u, k:component("in[0]", system.components[1]) } }, wrt)
  for i, v in ipairs(wrt) do k:output(fields[i], cotangents[i] or value.zeros_like(v)) end
end

--- The stepper of a family, which brings { doc, step, formulas }:
--
--   step(k, system, tab, u, t, h, constants, f0, past)
--                          one step from u: { u, k = stages, z = their arguments, u1 }, u1, k[i] and z[i] lists over components;
--                          err: its error vectors if they are not those of tab.err.  f0: f(t, u) if it is given, else evaluated;
--                          past: the same i steps before, for i up to tab.past
--   formulas(tab)          { [name of a value] = formula }
--
-- own: its kernels, by name, that are not as here; nil: none.
function one_step.stepper(family, own)
  --- The step from the carry: returns what rev_step differentiates as well as writing the outputs.  next[i] is false where the
  -- step leaves it to rhs (tab.late).
  function family.carried_step(k, system, tab)
    local carry = one_step.read_carry(k, system, tab, "carry")
    local at = one_step.groups(system, tab, carry)
    local step = family.step(k, system, tab, at.u, k:scalar "t", k:scalar "h", one_step.read_constants(k, system), at.k1, at.past)
    step.carry, step.next = carry, {}
    local function put(group)
      for c = 1, #system.components do step.next[#step.next + 1] = group and group[c] end
    end
    put(step.u1)
    if tab.fsal then put(not tab.late and step.k[tab.stages]) end
    for i in ipairs(at.past) do put(i == 1 and at.k1 or at.past[i - 1]) end
    for i in ipairs(at.past_u) do put(i == 1 and at.u or at.past_u[i - 1]) end
    return step
  end

  --- Builds kernel `name` of a system, in k if it is given; nil if the method has none.
  function family.kernel(name, system, tab, params, k)
    k = k or kernel.new(name, params)
    if name == "step" then
      one_step.put_step(k, system, tab, family.carried_step(k, system, tab))
    elseif (own and own[name] or kernels[name])(k, system, tab) == false then
      return nil
    end
    return k
  end

  return setmetatable(family, { __index = one_step })
end

return one_step
