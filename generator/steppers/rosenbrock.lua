--- Rosenbrock methods for stiff systems: one linear system a stage, all with the Jacobian at the start of the step.
--
--   (I/gamma - h J) k_i = f(t + c_i h, z_i) + d_i h f_t + sum_{j<i} C_ij k_j,  z_i = u + h sum_{j<i} a_ij k_j
--
-- J = f_u and f_t, at (t, u), are derivatives of the system's graph like any other, so the method may be differentiated as
-- a whole.  A record has one factorisation a step.  The rest is that of every one-step method (one_step.lua).
--
-- Components depend on one another one way (lambda on u, the parameter gradient on both), so J is block triangular and the
-- linear system is solved component by component: what J has of those before is a derivative along their stages,
--
--   (I/gamma - h J_cc) k_c = .. + h sum_{d before c} J_cd k_d
--
-- and a component that does not depend on itself, an integral along the others, has k_c = gamma (..).

local derive = require "derive"
local one_step = require "one_step"
local sparsity = require "sparsity"
local value = require "language.value"

local rosenbrock = { doc = "Rosenbrock: for stiff systems; linearly implicit, exact Jacobian, f64" }

function rosenbrock.formulas(tab)
  local list, text = one_step.formulas(tab), tab.text
  for i = 1, tab.stages do
    local z, terms = i == 1 and "u" or "z" .. i, {}
    for j, w in ipairs(tab.C[i]) do
      if w ~= 0 then terms[#terms + 1] = (" + %s k%d"):format(one_step.coefficient(text.C[i][j], ("C%d_%d"):format(i, j)), j) end
    end
    if i > 1 then list[z] = ("%s = u + %s"):format(z, one_step.weighted(tab.A[i], text.A[i], "a" .. i .. "_")) end
    list["k" .. i] = ("(I/gamma - h J) k%d = f(t + %s h, %s)%s%s"):format(
      i, one_step.coefficient(text.c[i], "c" .. i), z, tab.d[i] ~= 0 and (" + d%d h f_t"):format(i) or "", table.concat(terms))
  end
  return list
end

--- The entries of a matrix given by its columns, false for zeros; nil if they are not made one by one.
local function entries(columns)
  local list = {}
  for j, column in ipairs(columns) do
    list[j] = {}
    local parts = column and value.scalars(column)
    if column and not parts then return nil end
    for i = 1, #columns do list[j][i] = parts and not value.is_zero(parts[i]) and parts[i] end
  end
  return list
end

--- I/gamma - h J as the op lu wants it, from the columns of J.
local function matrix(k, tab, columns, h)
  local n, W = #columns, {}
  for c, column in ipairs(columns) do
    local unit = value.spread(value.op("pad", { k:const(1 / tab.gamma) }, { c - 1, n }))
    W[c] = column and unit - h * column or unit
  end
  return value.concat(table.unpack(W))
end

--- The same from the entries of J, in the order of its pattern s.
local function sparse_matrix(k, tab, J, s, h)
  local diagonal, W = k:const(1 / tab.gamma), {}
  for c, j in ipairs(s.order) do
    for r, i in ipairs(s.order) do
      local entry = J[j][i] and h * J[j][i]
      W[(c - 1) * s.n + r] = i == j and (entry and diagonal - entry or diagonal) or entry and -entry
    end
  end
  return value.spread(value.of_features(k.graph, W, s.n * s.n))
end

--- The features of v in the order given.
local function permuted(v, order)
  local list = {}
  for r, i in ipairs(order) do list[r] = v[i] end
  return value.concat(table.unpack(list))
end

--- I/gamma - h J factorised, J the Jacobian of f by u: a function that solves for b.  name: what the factors are called.
local function linear_system(k, tab, f, u, h, name)
  if not derive.depends(f, u) then return function(b) return k:const(tab.gamma, tab.text.gamma) * b end end
  local columns = derive.jacobian(f, u)
  local J = entries(columns)
  local s = J and sparsity.new(#columns, function(i, j) return J[j][i] end)
  if not s then
    local factors = value.op("lu", { matrix(k, tab, columns, h) })
    k.graph:name(factors.id, name)
    return function(b) return value.op("lu_solve", { factors, b }) end
  end
  local factors, back = value.op("lu", { sparse_matrix(k, tab, J, s, h) }, { s.number, s.flops.lu }), {}
  k.graph:name(factors.id, name)
  for r, i in ipairs(s.order) do back[i] = r end
  return function(b)
    return permuted(value.op("lu_solve", { factors, permuted(b, s.order) }, { s.number, s.flops.lu_solve }), back)
  end
end

--- The numbers of the components in levels: f of one depends on it and on those of levels before its own.
local function levels(f, u)
  local list, placed, left = {}, {}, #u
  local function waits(c)
    for d in ipairs(u) do
      if d ~= c and not placed[d] and derive.depends(f[c], u[d]) then return true end
    end
  end
  while left > 0 do
    local level = {}
    for c in ipairs(u) do
      if not placed[c] and not waits(c) then level[#level + 1] = c end
    end
    assert(#level > 0, "components that depend on one another both ways")
    for _, c in ipairs(level) do placed[c], left = true, left - 1 end
    list[#list + 1] = level
  end
  return list
end

--- f_t of every component, nil where it does not depend on time, by itself or through what is supplied from outside.
local function time_derivative(k, system, f, t, constants, external)
  local moving = { { t, k:const(1) } }
  if external then moving[2] = { external, system.external_rate(k, external, t, constants) } end
  return derive.jvp(f, moving)
end

function rosenbrock.step(k, system, tab, u, t, h, constants, f0)
  local external = one_step.read_external(k, system, 0)
  local start = system.rhs(k, u, t, constants, external)
  local f_t, solve = time_derivative(k, system, start, t, constants, external), {}
  for c, component in ipairs(system.components) do
    solve[c] = linear_system(k, tab, start[c], u[c], h, c == 1 and "W" or "W_" .. component.name)
  end
  local order = levels(start, u)
  local step = { u = u, k = {}, z = { u } }

  --- sum_j C_ij k_j + d_i h f_t for component c, added to f.
  local function right_side(i, c, f)
    if tab.d[i] ~= 0 and f_t[c] then f = f + (h * k:const(tab.d[i], tab.text.d[i])) * f_t[c] end
    for j, w in ipairs(tab.C[i]) do
      if w ~= 0 then f = f + k:const(w, tab.text.C[i][j]) * step.k[j][c] end
    end
    return f
  end

  k.rhs_evals = k.rhs_evals + (f0 and 0 or 1)
  for i = 1, tab.stages do
    local f = f0 or start
    if i > 1 then
      step.z[i] = one_step.combine(k, system, u, h, tab.A[i], tab.text.A[i], step.k, "h_a" .. i, "z" .. i)
      local ti = t + k:const(tab.c[i], tab.text.c[i]) * h
      f = one_step.evaluate(k, system, step.z[i], ti, constants, one_step.read_external(k, system, i - 1))
    end
    local stage, before = {}, {}
    for _, level in ipairs(order) do
      local of = {}
      for j, c in ipairs(level) do of[j] = start[c] end
      local along = #before > 0 and derive.jvp(of, before) or {}
      for j, c in ipairs(level) do
        local r = right_side(i, c, f[c])
        stage[c] = solve[c](along[j] and r + h * along[j] or r)
      end
      for _, c in ipairs(level) do before[#before + 1] = { u[c], stage[c] } end
    end
    step.k[i] = one_step.name(k, system, stage, "k" .. i)
  end
  step.u1 = one_step.combine(k, system, u, h, tab.b, tab.text.b, step.k, "h_b", "u1")
  return step
end

return one_step.stepper(rosenbrock)
