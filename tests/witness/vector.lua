--- Vectors with a derivative: { re = {...}, im = {...} }, im being the derivative times vector.tiny (the complex step).
--
-- The imaginary unit is so small that its square is lost in rounding: arithmetic on such numbers differentiates exactly.

local vector = { tiny = 1e-100 }

--- Constant numbers.
function vector.constant(list)
  local im = {}
  for i = 1, #list do im[i] = 0 end
  return { re = list, im = im }
end

--- Numbers that are differentiated by the i-th of them; none for i = nil.
function vector.variable(list, i)
  local v = vector.constant(list)
  if i then v.im[i] = vector.tiny end
  return v
end

--- u + h sum_j weights[j] vectors[j]; missing and zero weights leave their vector out.
function vector.combine(u, h, weights, vectors)
  local re, im = table.move(u.re, 1, #u.re, 1, {}), table.move(u.im, 1, #u.im, 1, {})
  for j, v in ipairs(vectors) do
    local w = h * (weights[j] or 0)
    if w ~= 0 then
      for i = 1, #re do re[i], im[i] = re[i] + w * v.re[i], im[i] + w * v.im[i] end
    end
  end
  return { re = re, im = im }
end

--- The entries of plain list a, then those of b.
function vector.join(a, b) return table.move(b, 1, #b, #a + 1, table.move(a, 1, #a, 1, {})) end

--- max |a_i - b_i| / max |b_i| of two plain lists: how far a is from b, relative to b's largest entry.
function vector.distance(a, b)
  assert(#a == #b, "lists of different lengths")
  local difference, largest = 0, 0
  for i = 1, #b do
    if a[i] ~= a[i] then return math.huge end
    difference, largest = math.max(difference, math.abs(a[i] - b[i])), math.max(largest, math.abs(b[i]))
  end
  return difference / largest
end

return vector
