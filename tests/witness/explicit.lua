--- The names of the explicit methods for ordinary differential equations: what suites of tame problems walk.

local tableau = require "language.tableau"

local names = {}
for _, name in ipairs(tableau.names()) do
  local tab = tableau.load(name)
  if not tab.noise and tab.family ~= "rosenbrock" then names[#names + 1] = name end
end
return names
