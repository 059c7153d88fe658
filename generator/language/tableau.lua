--- Tableaus: the methods that data files describe, checked when they are loaded and completed for the steppers.
--
-- A loaded tableau has (all numbers doubles, rounded once from exact values):
--
--   name, family, file, source, aliases
--   stages, order, embedded_order     measured; embedded_order is a number, a list if there are several error vectors
--   fsal                              the last stage is f(t + h, u1)
--   late                              which no stage is, but evaluated when the step is accepted; nil: it is a stage
--   past, start                       how many steps before a step remembers; the method, with the same past, of as many first
--                                     ones; nil: none
--   c, b; A                           lists; A[i] has i-1 entries; what else a family needs (families/) is likewise
--   err, combine                      error vectors { {..}, .. } or nil (fixed step only); "rms" or "hairer53"
--   text                              c, A, b, err again, as short text for comments
--   first_order                       p of the automatic first step, ~ tolerance^(1/p), if it is not the order
--   controller                        { beta1, beta2, gamma, qmin, qmax, qsteady }
--   dense                             { order, degree, poly[i][j], stages, extra, extra_c, extra_A } (interpolant.lua), or
--                                     { order, hermite = true, extra = 0 }: of u and f at both ends, or
--                                     { order, linear = true, extra = 0 }: of u at both ends
--   stiffness_pair                    { j, s }: the last two stages with c = 1, or nil
--   real_stability_limit              nil: the method has none
--   precision, largest_state          what a model must have, or may at most; nil: anything
--   residual                          the largest of all conditions checked
--   declared                          { order, embedded_order, fsal } as in the file

local contract = require "language.contract"
local host = require "host"
local registry = require "language.registry"

local tableau = {}

-- A family tells which fields its files have and completes them: { fields, complete = function(data, file) }.
local families = registry.open("language/families", { fields = "table", complete = "function" })

local function complete(data, file, name)
  if type(data) ~= "table" then host.fail(("%s: error: must return a table, not a %s"):format(file, type(data))) end
  if data.family == nil then host.fail(("%s: missing field 'family'"):format(file)) end
  local family_name, message = families:find(tostring(data.family))
  if not family_name then contract.fail(file, "family", "%s", message) end
  local family = families:get(family_name)
  local method = family.complete(contract.check(data, family.fields, file), file)
  method.name, method.family, method.file = name, family_name, file
  method.source, method.aliases = data.source, data.aliases or {}
  return method
end

local methods = registry.open_data("tableaus", complete)

--- The names of the methods in tableaus/, sorted; of one family, if it is given.
function tableau.names(family)
  local names = {}
  for _, name in ipairs(methods:names()) do
    if not family or methods:raw(name).family == family then names[#names + 1] = name end
  end
  return names
end

--- The name of a method's file that a word stands for, itself or as an alias; nil and a message if there is none.
function tableau.find(word) return methods:find(word:lower()) end

--- The method in a file (a path that ends in ".lua"), or the one a name or alias stands for.
function tableau.load(word)
  local name = word:match "([^/]*)%.lua$"
  if name then return complete(host.sandbox(word, {}), word, name) end
  return methods:get(word:lower())
end

--- What `lrnde-gen --tableau` shows: an ordered list of { key, value }; a value may be nil.
function tableau.report(method)
  return {
    { "name", method.name },
    { "family", method.family },
    { "stages", method.stages },
    { "order", method.order },
    { "declared_order", method.declared.order },
    { "embedded_order", method.embedded_order },
    { "declared_embedded_order", method.declared.embedded_order },
    { "fsal", method.fsal },
    { "declared_fsal", method.declared.fsal },
    { "max_residual", method.residual },
    { "real_stability_limit", method.real_stability_limit },
    { "dense_order", method.dense.order },
    { "adaptive", method.err ~= nil },
    { "source", method.source },
  }
end

return tableau
