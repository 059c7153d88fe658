--- Backsolve adjoint: u is integrated backwards together with lambda and the gradient, so that nothing of the forward solution
--- is kept but u at save times and, if wanted, at some checkpoints, where it is put back.
--
-- What a forward solve damps a solve back amplifies: on stiff and on chaotic systems u misses the solution it retraces, and the
-- gradient is of no use, by methods for stiff systems no less than by others.  So it is measured how far u misses wherever the
-- solution is known, in tolerances of the solve; over `bound` there is a warning or, if strict, an error.

local adjoint = require "adjoint"

local backsolve = { recordless = true,
                    doc = "adjoint equations and the state integrated backwards: no record at all",
                    options = adjoint.options { norm = adjoint.norm, bound = 100.0, strict = false } }

function backsolve.adjoint(system, params, _, options)
  return adjoint.system(system, params, { norm = options.norm, state = true })
end

return backsolve
