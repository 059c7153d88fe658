--- Derivatives of graphs: one linearisation rule an op, one transpose rule a linear op.
--
-- An op y = f(x_1, .., x_n) is described by its linearisation dy = sum_i L_i dx_i.  For elementwise ops L_i is a
-- multiplication by the partial derivative, which `partials` gives.  All other ops are linear in each argument (or have
-- derivative zero), and `transposes` gives the transpose of each L_i; where L_i is not the op itself with dx_i in the place of
-- x_i, `tangents` gives dy.  jvp applies the L_i forwards, vjp their transposes backwards; both add ordinary ops to the graph,
-- so derivatives can be differentiated again.
--
-- Invariant of vjp: a cotangent has the shape of the value it belongs to, and that of a per-sample value is per sample.  The
-- cotangent of a shared value may stay per sample until it is asked for: then it is summed over the batch, once.

local sparsity = require "sparsity"
local value = require "language.value"
local derive = {}

-- partials.op(y, x...) -> partial derivatives, one for each argument; y is the result.  false: zero.
local partials = {
  add     = function() return 1, 1 end,
  sub     = function() return 1, -1 end,
  mul     = function(_, a, b) return b, a end,
  div     = function(y, _, b) return 1 / b, -y / b end,
  neg     = function() return -1 end,
  fma     = function(_, a, b) return b, a, 1 end,
  sqrt    = function(y) return 0.5 / y end,
  exp     = function(y) return y end,
  log     = function(_, x) return 1 / x end,
  log1p   = function(_, x) return 1 / (1 + x) end,
  sin     = function(_, x) return value.cos(x) end,
  cos     = function(_, x) return -value.sin(x) end,
  tanh    = function(y) return 1 - y * y end,
  sigmoid = function(y) return y * (1 - y) end,
  pow     = function(y, a, b) return b * value.pow(a, b - 1), value.info(b).op ~= "const" and y * value.log(a) end,
  abs     = function(_, x) return value.sign(x) end,
  sign    = function() return false end,
  max     = function(_, a, b) return value.le(b, a), value.lt(a, b) end,
  min     = function(_, a, b) return value.le(a, b), value.lt(b, a) end,
  lt      = function() return false, false end,
  le      = function() return false, false end,
  eq      = function() return false, false end,
  select  = function(_, c) return false, value.select(c, 1, 0), value.select(c, 0, 1) end,
  stop    = function() return false end,
}

--- A shared cotangent for a shared value.
local function summed(c) return value.kind(c) == "sample" and value.batch_sum(c) or c end

local function outer(y, x) return value.op("outer", { value.spread(y), value.spread(x) }) end

-- Matrices as the SOLVE ops have them, column by column: column j, M x, M^T x, y x^T.
local function column(m, j, n) return value.op("slice", { m }, { (j - 1) * n, n }) end
local function each_column(n, make)
  local list = {}
  for j = 1, n do list[j] = make(j) end
  return list
end
local function product(m, x)
  local n, sum = value.size(x), nil
  for j = 1, n do
    local term = column(m, j, n) * x[j]
    sum = sum and sum + term or term
  end
  return sum
end
local function product_t(m, x)
  local n = value.size(x)
  return value.op("concat", each_column(n, function(j) return value.sum(column(m, j, n) * x) end))
end

-- What stands for a matrix M where the factors of one are expected.
local function as_factors(m, n) return value.op("pad", { m }, { 0, n * n + n }) end

local FEW <const> = 8         -- equations whose dyads are made entry by entry: vectors so short become scalars (passes/unroll.c)

-- y x^T as that; where the pattern, an attribute of the op, has a zero nobody asks.
local function dyad(y, x, attrs)
  local n, s = value.size(x), sparsity.get(attrs[1])
  if not s or n > FEW then return as_factors(value.op("concat", each_column(n, function(j) return y * x[j] end)), n) end
  local list = {}
  for c = 1, n do
    for r = 1, n do list[(c - 1) * n + r] = s.given[r][c] and y[r] * x[c] or false end
  end
  return value.of_features(y.g, list, n * n + n)
end

-- transposes.op(c, info, x...) -> for each argument a function giving its cotangent, from the cotangent c of the result;
-- info.y is the result.
local transposes = {
  sum       = function(c, _, x) return { function() return value.expand(c, value.size(x)) end } end,
  expand    = function(c) return { function() return value.sum(c) end } end,
  index     = function(c, info, x) return { function() return value.op("pad", { c }, { info.attrs[1], value.size(x) }) end } end,
  slice     = function(c, info, x) return { function() return value.op("pad", { c }, { info.attrs[1], value.size(x) }) end } end,
  pad       = function(c, info, x)
    return { function()
      if value.rank(x) == 0 then return value.op("index", { c }, { info.attrs[1], 0 }) end
      return value.op("slice", { c }, { info.attrs[1], value.size(x) })
    end }
  end,
  concat    = function(c, _, ...)
    local rules, at = {}, 0
    for i, x in ipairs { ... } do
      local offset, n = at, value.size(x)
      rules[i] = function()
        if value.rank(x) == 0 then return value.op("index", { c }, { offset, 0 }) end
        return value.op("slice", { c }, { offset, n })
      end
      at = at + n
    end
    return rules
  end,
  reshape   = function(c, _, x)
    local dims = value.info(x).dims
    return { function() return value.reshape(c, dims[1], dims[2]) end }
  end,
  batch_sum = function(c) return { function() return value.spread(summed(c)) end } end,
  spread    = function(c) return { function() return c end } end,
  matvec    = function(c, _, w, x)
    return { function() return outer(c, x) end, function() return value.op("matvec_t", { w, c }) end }
  end,
  matvec_t  = function(c, _, w, y)
    return { function() return outer(y, c) end, function() return value.matvec(w, c) end }
  end,
  outer     = function(c, _, y, x)
    c = summed(c)
    return { function() return value.matvec(c, x) end, function() return value.op("matvec_t", { c, y }) end }
  end,
  pick      = function(c, _, v, label)
    return { function() return value.op("scatter", { c, label }, { value.size(v), 0 }) end, false }
  end,
  scatter   = function(c, _, _, label) return { function() return value.op("pick", { c, label }) end, false } end,
  rowmax    = function() return { false } end,
  argmax    = function() return { false } end,
  lu        = function(c, _, m) return { function() return value.op("slice", { c }, { 0, value.size(m) }) end } end,
  lu_solve  = function(c, info, f, b)
    local w = value.op("lu_solve_t", { f, c }, info.attrs)
    return { function() return dyad(-w, info.y, info.attrs) end, function() return w end }
  end,
  lu_solve_t = function(c, info, f, b)
    local w = value.op("lu_solve", { f, c }, info.attrs)
    return { function() return dyad(-info.y, w, info.attrs) end, function() return w end }
  end,
}

-- The tangent of M^-1 b is M^-1 (db - dM M^-1 b); multiply(dM, y) is dM y.
local function solve_tangent(op, multiply)
  return function(y, args, dots)
    local db = dots[1] and -multiply(dots[1], y)
    db = db and dots[2] and db + dots[2] or db or dots[2]
    return value.op(op, { args[1], db }, value.info(y).attrs)
  end
end

-- tangents.op(y, args, dots) -> the tangent of y, from those of its arguments, of which at least one is not nil.
local tangents = {
  concat = function(_, args, dots)
    local list = {}
    for i, x in ipairs(args) do list[i] = dots[i] or value.zeros_like(x) end
    return value.op("concat", list)
  end,
  lu = function(y, args, dots) return as_factors(dots[1], value.size(y) - value.size(args[1])) end,
  lu_solve = solve_tangent("lu_solve", product),
  lu_solve_t = solve_tangent("lu_solve_t", product_t),
}

--- c with the shape of x, per sample if x is: sums over the features that broadcasting repeated.
local function unbroadcast(c, x)
  if value.rank(x) == 0 and value.rank(c) > 0 then c = value.sum(c) end
  if value.rank(x) > value.rank(c) then c = value.expand(c, value.size(x)) end
  if value.kind(x) == "sample" then return value.spread(c) end
  return c
end

local function arguments(g, info)
  local args = {}
  for i, id in ipairs(info.args) do args[i] = value.wrap(g, id) end
  return args
end

--- Which values depend on one of wrt (ids of a list of values), as a set of ids up to the largest id asked for.
local function dependents(g, wrt, last)
  local depends = {}
  for _, x in ipairs(wrt) do depends[x.id] = true end
  for id = 0, last do
    for _, arg in ipairs(g:value(id).args) do
      if depends[arg] then depends[id] = true break end
    end
  end
  return depends
end

--- Whether y is computed from x.
function derive.depends(y, x) return dependents(y.g, { x }, y.id)[y.id] or false end

--- The number, from 1, and the value of the only feature in which a (co)tangent is not zero, as that of an index is; else nil.
local function single_feature(c)
  local info = value.info(c)
  if info.op == "spread" then
    c = value.wrap(c.g, info.args[1])
    info = value.info(c)
  end
  if info.op ~= "pad" then return nil end
  local part = value.wrap(c.g, info.args[1])
  if value.rank(part) == 0 then return info.attrs[1] + 1, part end
end

--- Cotangents of wrt, given those of some values: pairs is { {value, cotangent}, ... }.  Those of wrt are independent
-- variables: what one of them was computed from gets nothing through it.
-- Returns a list parallel to wrt; an entry is nil where nothing depends on that value.
function derive.vjp(pairs_, wrt)
  local g = pairs_[1][1].g
  local last = 0
  for _, pair in ipairs(pairs_) do last = math.max(last, pair[1].id) end
  local depends = dependents(g, wrt, last)
  local cotangent, features, independent = {}, {}, {}
  for _, x in ipairs(wrt) do independent[x.id] = true end
  local function add_feature(x, i, part)
    features[x.id] = features[x.id] or {}
    local sum = features[x.id][i]
    features[x.id][i] = sum and sum + part or part
  end
  local function accumulate(x, c)
    c = unbroadcast(c, x)
    local i, part = single_feature(c)
    local parts = not i and value.info(x).op == "lu" and value.scalars(c)
    if i then
      add_feature(x, i, part)
    elseif parts then
      for j, entry in ipairs(parts) do
        if not value.is_zero(entry) then add_feature(x, j, entry) end
      end
    else
      cotangent[x.id] = cotangent[x.id] and cotangent[x.id] + c or c
    end
  end
  -- The cotangent of value id, once all that use it have been met.
  local function total(id)
    if features[id] then
      local x = value.wrap(g, id)
      local c = unbroadcast(value.of_features(g, features[id], value.size(x)), x)
      cotangent[id] = cotangent[id] and cotangent[id] + c or c
      features[id] = nil
    end
    return cotangent[id]
  end
  for _, pair in ipairs(pairs_) do accumulate(pair[1], pair[2]) end
  for id = last, 0, -1 do
    local c = depends[id] and not independent[id] and total(id)
    local info = c and g:value(id)
    if c and #info.args > 0 then
      local args = arguments(g, info)
      if partials[info.op] then
        local slopes = { partials[info.op](value.wrap(g, id), table.unpack(args)) }
        for i, x in ipairs(args) do
          if depends[x.id] and slopes[i] then accumulate(x, c * slopes[i]) end
        end
      else
        info.y = value.wrap(g, id)
        local rules = transposes[info.op](c, info, table.unpack(args))
        for i, x in ipairs(args) do
          if depends[x.id] and rules[i] then accumulate(x, rules[i]()) end
        end
      end
    end
  end
  local result = {}
  for i, x in ipairs(wrt) do
    local c = total(x.id)
    result[i] = c and value.kind(x) == "shared" and summed(c) or c
  end
  return result
end

--- Tangents of `of` in several directions, each { [id of a value of wrt] = its tangent }: a list of lists parallel to `of`; nil
-- where a value does not depend.  Of a single feature nothing but that feature depends, so that zeros of a Jacobian are nil.
local function push_forward(of, wrt, directions)
  local g, last = of[1].g, 0
  for _, y in ipairs(of) do last = math.max(last, y.id) end
  local depends = dependents(g, wrt, last)

  --- L_i dx_i, for argument i of an op with no rule in tangents.
  local function term(info, args, slopes, i, dx)
    if slopes then return dx * slopes[i] end
    if info.op == "index" then
      local feature, part = single_feature(dx)
      if feature then return feature == info.attrs[1] + 1 and part or nil end
    end
    local replaced = { table.unpack(args) }
    replaced[i] = dx
    return value.op(info.op, replaced, info.attrs)
  end

  for id = 0, last do
    local info = depends[id] and not directions[1][id] and g:value(id)
    if info then
      local y, args = value.wrap(g, id), arguments(g, info)
      local own = tangents[info.op]
      local slopes = partials[info.op] and { partials[info.op](y, table.unpack(args)) }
      local linear = not own and (slopes or transposes[info.op](y, info, table.unpack(args)))
      for _, tangent in ipairs(directions) do
        local total, dots = nil, {}
        for i, x in ipairs(args) do
          dots[i] = tangent[x.id]
          local along = dots[i] and linear and linear[i] and term(info, args, slopes, i, dots[i])
          if along then total = total and total + along or along end
        end
        if own and next(dots) then total = own(y, args, dots) end
        tangent[id] = total
      end
    end
  end
  local results = {}
  for d, tangent in ipairs(directions) do
    results[d] = {}
    for i, y in ipairs(of) do results[d][i] = tangent[y.id] end
  end
  return results
end

--- Tangents of `of`, given those of some values: pairs is { {value, tangent}, ... }; nil where a value does not depend.
function derive.jvp(of, pairs_)
  local wrt, tangent = {}, {}
  for i, pair in ipairs(pairs_) do wrt[i], tangent[pair[1].id] = pair[1], pair[2] end
  return push_forward(of, wrt, { tangent })[1]
end

--- The columns of the Jacobian of y by x, both per sample; false where it is zero.
function derive.jacobian(y, x)
  local n, directions, columns = value.size(x), {}, {}
  for j = 1, n do directions[j] = { [x.id] = value.spread(value.op("pad", { value.lift(x.g, 1) }, { j - 1, n })) } end
  for j, column in ipairs(push_forward({ y }, { x }, directions)) do columns[j] = column[1] or false end
  return columns
end

return derive
