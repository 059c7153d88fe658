--- Linear stability of an explicit method on the negative real axis.
--
-- On u' = lambda u a step multiplies u by R(z), z = h lambda, a polynomial. The method is stable where |R(z)| <= 1; the
-- real stability limit is the first x > 0 at which R(-x) leaves that range. Local stiffness is measured against it.

local stability = {}

local SCAN <const> = 1 / 64 -- finer than the distance between zeros of |R| - 1 of any method in use

--- R(z) of a method with ragged rows A and weights b: one step of u' = z u, h = 1, from u = 1.
function stability.amplification(A, b, z)
  local k, u1 = {}, 1.0
  for i, row in ipairs(A) do
    local u = 1.0
    for j, a in ipairs(row) do u = u + a * k[j] end
    k[i] = z * u
    u1 = u1 + b[i] * k[i]
  end
  return u1
end

--- The real stability limit. The method must be consistent: then R is not constant and the search ends.
function stability.real_limit(A, b)
  local function stable(x) return math.abs(stability.amplification(A, b, -x)) <= 1.0 end
  local inside, outside = 0.0, SCAN
  while stable(outside) do
    inside, outside = outside, outside + SCAN
  end
  while true do
    local middle = 0.5 * (inside + outside)
    if middle == inside or middle == outside then return inside end
    if stable(middle) then inside = middle else outside = middle end
  end
end

return stability
