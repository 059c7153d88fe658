--- The step size controller of a method: a PI controller's defaults, and what a file may say instead (runtime/control.h).

local coefficients = require "language.coefficients"
local contract = require "language.contract"

local controller = {}

--- The field `controller` of a file, checked and completed, for a method of this order.  qsteady: what a proposed step may
--- be shorter by, as a factor, and be kept as it is; 1: every proposal is taken.
function controller.complete(file, given, order, qsteady)
  local c = { beta1 = 7 / (10 * order), beta2 = 2 / (5 * order), gamma = 0.9, qmin = 0.2, qmax = 10.0, qsteady = qsteady }
  local fields = {}
  for name in pairs(c) do fields[name] = "string|number?" end
  for name, entry in pairs(contract.check(given or {}, fields, file, "controller")) do
    c[name] = coefficients.read(file, "controller." .. name, entry):tonumber()
  end
  local function require_that(holds, name, message)
    if not holds then contract.fail(file, "controller." .. name, "is %.10g; %s", c[name], message) end
  end
  require_that(c.beta1 > 0, "beta1", "must be positive")
  require_that(c.beta2 >= 0, "beta2", "must not be negative")
  require_that(c.gamma > 0 and c.gamma <= 1, "gamma", "must lie in (0, 1]")
  require_that(c.qmin > 0 and c.qmin < 1, "qmin", "must lie in (0, 1)")
  require_that(c.qmax > 1, "qmax", "must be greater than 1")
  require_that(c.qsteady >= 1, "qsteady", "must not be less than 1")
  return c
end

return controller
