--- Adams methods on steps of any lengths, by Krogh's modified divided differences (Hairer, Norsett, Wanner I, III.5).
--
-- With h_1 the length of the step from t_n, h_2 that of the step before it, and so on,
--
--   Phi_1(n) = f_n,  Phi_{j+1}(n) = Phi_j(n) - beta_j(n - 1) Phi_j(n - 1)
--   beta_1 = 1,  beta_{j+1} = beta_j (h_1 + .. + h_j) / (h_2 + .. + h_{j+1})
--   g_j = h_1 c_{j,1},  c_{1,q} = 1/q,  c_{j+1,q} = c_{j,q} - c_{j,q+1} h_1 / (h_1 + .. + h_j)
--   u1 = u + sum_{j <= p} g_j beta_j Phi_j(n)
--
-- has order p, and its last term is the difference to the method of order p - 1.  Lengths and derivatives may be numbers or
-- values of a graph: the recurrences are those of the emitted step and of the check of its order.

local multistep = {}

--- beta_1 .. beta_n, from h[1] .. h[n].
function multistep.beta(n, h)
  local list, upper, lower = { 1 }, nil, nil
  for j = 1, n - 1 do
    upper, lower = upper and upper + h[j] or h[j], lower and lower + h[j + 1] or h[j + 1]
    list[j + 1] = j == 1 and upper / lower or list[j] * (upper / lower)
  end
  return list
end

--- g_1 .. g_n, from h[1] .. h[n - 1].
function multistep.g(n, h)
  local list, c, sum = { h[1] }, {}, nil
  for q = 1, n do c[q] = 1 / q end
  for j = 1, n - 1 do
    sum = sum and sum + h[j] or h[j]
    local ratio = j == 1 and 1 or h[1] / sum
    for q = 1, n - j do c[q] = c[q] - c[q + 1] * ratio end
    list[j + 1] = h[1] * c[1]
  end
  return list
end

--- Phi_1(n) .. Phi_p(n), from f[1] = f_n .. f[p] and h[2] .. h[p].
function multistep.phi(p, h, f)
  local column, list = table.move(f, 1, p, 1, {}), { f[1] }      -- Phi_j of this step, of the one before, ..
  for j = 1, p - 1 do
    for i = 1, p - j do
      local beta = multistep.beta(j, table.move(h, i + 1, i + j, 1, {}))[j]
      column[i] = column[i] - (j == 1 and column[i + 1] or beta * column[i + 1])
    end
    list[j + 1] = column[1]
  end
  return list
end

return multistep
