--- Quadrature rules on [0, 1]: { nodes, weights, differences }, differences being those to an embedded rule's weights, or nil.

local quadrature = {}

--- The Legendre polynomial of degree n and its derivative at x.
local function legendre(n, x)
  local p0, p1 = 1, x
  for j = 2, n do p0, p1 = p1, ((2 * j - 1) * x * p1 - (j - 1) * p0) / j end
  return p1, n * (x * p1 - p0) / (x * x - 1)
end

--- Gauss's rule of n nodes, exact to degree 2n - 1: the roots of the Legendre polynomial by Newton's method.
function quadrature.gauss(n)
  local rule = { nodes = {}, weights = {} }
  for i = 1, n do
    local x = math.cos(math.pi * (n - i + 0.75) / (n + 0.5))
    local p, slope
    for _ = 1, 8 do
      p, slope = legendre(n, x)
      x = x - p / slope
    end
    _, slope = legendre(n, x)
    rule.nodes[i], rule.weights[i] = (1 + x) / 2, 1 / ((1 - x * x) * slope * slope)
  end
  return rule
end

-- The 15 nodes of Kronrod that extend Gauss's 7 (every second one), x >= 0: node, weight       (Piessens et al., QUADPACK, 1983)
local kronrod_15 <const> = {
  { 0.9914553711208126392069, 0.0229353220105292249637 }, { 0.9491079123427585245262, 0.0630920926299785532907 },
  { 0.8648644233597690727897, 0.1047900103222501838399 }, { 0.7415311855993944398639, 0.1406532597155259187452 },
  { 0.5860872354676911302941, 0.1690047266392679028266 }, { 0.4058451513773971669066, 0.1903505780647854099133 },
  { 0.2077849550078984676007, 0.2044329400752988924142 }, { 0.0, 0.2094821410847278280130 },
}

--- Gauss and Kronrod's pair of 7 and 15 nodes.
function quadrature.gauss_kronrod()
  local gauss, rule = quadrature.gauss(7), { nodes = {}, weights = {}, differences = {} }
  for i = 1, 15 do
    local node = kronrod_15[math.min(i, 16 - i)]
    rule.nodes[i], rule.weights[i] = (1 + (i < 8 and -1 or 1) * node[1]) / 2, node[2] / 2
    rule.differences[i] = rule.weights[i] - (i % 2 == 0 and gauss.weights[i // 2] or 0)
  end
  return rule
end

return quadrature
