--- Local regularization by the solver's own estimates of one step.
--
--   R = E h, E the scaled RMS norm of the embedded error estimate            (Pal, Edelman, Rackauckas, ICML 2023)
--   S = RMS(k_s - k_j) / RMS(z_s - z_j) / real stability limit, stages s, j at c = 1

local value = require "language.value"

local local_error = {
  doc = "the solver's error or stiffness estimate of one local step",
  options = { estimate = { "error", "stiffness" }, scale = { "tolerance", "none" } },
}

--- What a term with these options is called.
function local_error.title(options) return options.estimate end

--- Why a method cannot have it, or nil.
function local_error.missing(tab, options)
  if options.estimate == "stiffness" and not tab.stiffness_pair then
    return "estimate", ("%s has no estimate of stiffness: an explicit method with two stages at c = 1 has"):format(tab.name)
  end
end

--- What is summed over the step: nil for the sums the step itself leaves, of its scaled error.
function local_error.sums(k, system, tab, stepper, step, h, options)
  if options.estimate == "error" then
    return options.scale == "none" and stepper.error_sums(k, system, tab, step, h, false) or nil
  end
  local list, j, s = {}, table.unpack(tab.stiffness_pair)
  for i, difference in ipairs { step.k[s][1] - step.k[j][1], step.z[s][1] - step.z[j][1] } do
    list[i] = { value.batch_sum(value.sum(difference * difference)) }
  end
  return list
end

--- E or S, a scalar of those sums and n; S is 0 where the stage arguments coincide.
function local_error.estimate(k, tab, stepper, options)
  if options.estimate == "error" then return stepper.finish(k, tab) end
  local dk, dz = k:scalar "sums[0]", k:scalar "sums[1]"
  local ratio = value.select(dz, dk / value.select(dz, dz, 1), 0)
  return value.select(ratio, value.sqrt(value.select(ratio, ratio, 1)), 0) / tab.real_stability_limit
end

--- Is R the estimate times the length of the step?
function local_error.times_h(options) return options.estimate == "error" end

return local_error
