--- Gradients by the data: what u0 and the constants of a solve were made from, against central differences on the mesh.

local check = require "check"
local tool = require "witness.tool"
local vector = require "witness.vector"
local vocabulary = require "language.vocabulary"

tool.compiler = "tests/quick_cc.sh"

local MODEL <const> = "tests/numeric/models/driven.lua"
local INPUTS <const> = { 0.7, -0.4, 0.3, 0.8 }                 -- drive, then x
local folder = check.folder()

--- lrnde-solve from the given inputs.
local function solve(inputs, options)
  local path = folder .. "/inputs.csv"
  local file <close> = assert(io.open(path, "w"))
  file:write("a,b,x,y\n", ("%.17g,%.17g,%.17g,%.17g\n"):format(table.unpack(inputs)))
  file:close()
  options.input = path
  return tool.solve(MODEL, options)
end

--- The gradient of x(2) by every input, the mesh held.
local function central_differences(method, mesh)
  local gradient, step = {}, 1e-5
  for i = 1, #INPUTS do
    local ends = {}
    for _, sign in ipairs { 1, -1 } do
      local moved = table.move(INPUTS, 1, #INPUTS, 1, {})
      moved[i] = moved[i] + sign * step
      ends[#ends + 1] = solve(moved, { method = method, mesh = mesh, saveat = { mesh[1], mesh[#mesh] } }).u[2][1]
    end
    gradient[i] = (ends[1] - ends[2]) / (2 * step)
  end
  return gradient
end

for _, method in ipairs { "bs3", "tsit5", "vern7" } do
  check.case(method .. ": gradients by context and initial state", function()
    local options = { method = method, gradient = "x", atol = 1e-6, rtol = 1e-6, stats = true }
    local discrete = solve(INPUTS, options)
    local gradient = vector.join(discrete.grad_drive, discrete.grad_x)
    check.below(vector.distance(gradient, central_differences(method, discrete.mesh)), 1e-8)
    for _, sensitivity in ipairs(vocabulary.sensitivities:names()) do
      options.sensitivity = sensitivity
      local r = solve(INPUTS, options)
      check.below(vector.distance(vector.join(r.grad_drive, r.grad_x), gradient), 1e-4)
    end
  end)
end

check.run("rm -r " .. folder)
check.done()
