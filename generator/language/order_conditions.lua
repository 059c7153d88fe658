--- Order conditions: how many orders a Runge-Kutta method really has.
--
-- A method with weights b is of order p exactly if  sum_i b_i phi_i(t) = 1 / gamma(t)  for every rooted tree t of at
-- most p nodes (Butcher; Hairer, Norsett & Wanner, II.2). Every tree but the single node is a *trunk* with one more
-- *branch* grafted to its root, so with elementary weights  phi(node) = (1, .., 1),
--
--     phi(trunk + branch) = phi(trunk) * A phi(branch),     gamma(t) = |t| * product of gamma over the root's branches.
--
-- A Rosenbrock method has a second matrix B = A + Gamma, which stands in A's place where a node has one branch only (Hairer &
-- Wanner, IV.7):  phi(node + branch) = B phi(branch).  For a Runge-Kutta method B is A.
--
-- A branch never ranks below the one grafted before it, so each tree is built once: 1, 1, 2, 4, 9, 20, 48, 115, 286,
-- 719 trees of 1 to 10 nodes. Everything is in doubles: a table of doubles is what a method is when it runs.

local contract = require "language.contract"

local order_conditions = {}
order_conditions.__index = order_conditions

order_conditions.TOLERANCE = 1e-9
order_conditions.MAX_ORDER = 10

-- trees[n]: the trees of n nodes. `rank` counts all trees, `last` is the rank of the branch grafted last.
local trees = { { { rank = 1, last = 0, gamma = 1 } } }
local count = 1

--- The trees of n nodes.
function order_conditions.trees(n)
  if trees[n] then return trees[n] end
  local grown = {}
  for size = 1, n - 1 do
    local branches = order_conditions.trees(size)
    for _, trunk in ipairs(order_conditions.trees(n - size)) do
      for _, branch in ipairs(branches) do
        if branch.rank >= trunk.last then
          count = count + 1
          local gamma = n * (trunk.gamma // (n - size)) * branch.gamma
          grown[#grown + 1] = { rank = count, last = branch.rank, gamma = gamma, trunk = trunk, branch = branch }
        end
      end
    end
  end
  trees[n] = grown
  return grown
end

--- The conditions of a method whose matrix has the rows A[i] = { A[i][1], .., }, as long as they are not zero; B: the matrix
--- of a Rosenbrock method's single branches, A unless it is given.
function order_conditions.new(A, B)
  local ones = {}
  for i = 1, #A do ones[i] = 1.0 end
  return setmetatable({ A = A, B = B or A, ones = ones, images = {}, grafted = {} }, order_conditions)
end

-- matrix phi(tree); kept, by matrix and tree.
function order_conditions:image(matrix, tree)
  self.images[matrix] = self.images[matrix] or {}
  local image = self.images[matrix][tree.rank]
  if not image then
    image = {}
    local phi = self:phi(tree)
    for i, row in ipairs(matrix) do
      local sum = 0.0
      for j, a in ipairs(row) do sum = sum + a * phi[j] end
      image[i] = sum
    end
    self.images[matrix][tree.rank] = image
  end
  return image
end

-- The product of A phi(branch) over the branches of a tree's root, one entry a stage.
function order_conditions:product(tree)
  if not tree.trunk then return self.ones end
  local product = self.grafted[tree.rank]
  if not product then
    product = {}
    local trunk, branch = self:product(tree.trunk), self:image(self.A, tree.branch)
    for i = 1, #self.A do product[i] = trunk[i] * branch[i] end
    self.grafted[tree.rank] = product
  end
  return product
end

-- The elementary weights of a tree, one a stage.
function order_conditions:phi(tree)
  local single = tree.trunk and not tree.trunk.trunk
  return single and self:image(self.B, tree.branch) or self:product(tree)
end

-- The larger of two residuals; NaN is larger than any.
local function larger(a, b) return (b > a or b ~= b) and b or a end

-- The largest |sum_i w_i phi_i - right / gamma| over the trees of n nodes.
function order_conditions:residual(w, n, right)
  local worst = 0.0
  for _, tree in ipairs(order_conditions.trees(n)) do
    local phi, sum = self:phi(tree), -right / tree.gamma
    for i, weight in ipairs(w) do sum = sum + weight * phi[i] end
    worst = larger(worst, math.abs(sum))
  end
  return worst
end

--- The conditions on weights b: a function from n to the largest residual over the trees of n nodes.
function order_conditions:of(b)
  return function(n) return self:residual(b, n, 1) end
end

--- The conditions on dense output with  b_i(theta) = sum_j poly[i][j] theta^j,  likewise:  sum_i b_i(theta) phi_i =
--- theta^|t| / gamma  must hold for every power of theta by itself.
function order_conditions:of_dense(poly)
  return function(n)
    local worst = 0.0
    for j = 1, math.max(#poly[1], n) do
      local w = {}
      for i, row in ipairs(poly) do w[i] = row[j] or 0.0 end
      worst = larger(worst, self:residual(w, n, j == n and 1 or 0))
    end
    return worst
  end
end

--- Up to which order conditions hold, the largest residual so far, and the residual after it (nil at MAX_ORDER, beyond
--- which nothing is measured).
function order_conditions.measure(conditions)
  local worst = 0.0
  for n = 1, order_conditions.MAX_ORDER do
    local residual = conditions(n)
    if not (residual < order_conditions.TOLERANCE) then return n - 1, worst, residual end
    worst = larger(worst, residual)
  end
  return order_conditions.MAX_ORDER, worst
end

--- Measures, and fails if a file declares another order in a field.
function order_conditions.confirm(file, field, declared, conditions)
  local order, worst, after = order_conditions.measure(conditions)
  if declared ~= order then
    local why = after and ("; at order %d they leave %.2g"):format(order + 1, after) or ", the most that is measured"
    contract.fail(file, field, "declared %s, but the order conditions hold to %d%s", declared, order, why)
  end
  return order, worst
end

--- Fails unless c_i = sum_j A_ij in read coefficients: a stage takes u to the time at which it evaluates f. Returns the
--- largest residual.
function order_conditions.confirm_rows(file, field, c, A)
  local worst = 0.0
  for i, row in ipairs(A) do
    local sum = 0.0
    for _, a in ipairs(row.number) do sum = sum + a end
    local residual = math.abs(sum - c.number[i])
    if not (residual < order_conditions.TOLERANCE) then
      contract.fail(file, ("%s[%d]"):format(field, i), "is %s, but that row of A sums to %.10g", c.text[i], sum)
    end
    worst = larger(worst, residual)
  end
  return worst
end

return order_conditions
