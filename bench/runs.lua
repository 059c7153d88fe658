--- Training runs from scripts: starts lrnde-train, follows its JSON lines, remembers what it said.

local runs = {}

--- The value of a key in a line of flat JSON: a number, a string, or nil.
function runs.field(line, key)
  local text = line:match('"' .. key .. '":("[^"]*")') or line:match('"' .. key .. '":([^,}]+)')
  return text and (tonumber(text) or text:match '^"(.*)"$')
end

local function quoted(words)
  local list = {}
  for i, word in ipairs(words) do list[i] = "'" .. tostring(word):gsub("'", "'\\''") .. "'" end
  return table.concat(list, " ")
end

--- What a line of the log, or of the tool's output, says of a training step.
function runs.report(line)
  local report = { accuracy = runs.field(line, "train_accuracy") }
  for _, key in ipairs { "step", "loss", "nfe", "nfe_diffusion", "nfe_local", "reg", "step_s" } do
    report[key] = runs.field(line, key)
  end
  return report
end

--- Mean of a key over the reported steps first..last; what a report has not is 0.
function runs.mean(result, key, first, last)
  local sum, n = 0, 0
  for _, report in ipairs(result.steps) do
    if report.step >= first and report.step <= last then sum, n = sum + (report[key] or 0), n + 1 end
  end
  return sum / n
end

--- Median of a key over the reported steps.
function runs.median(result, key)
  local list = {}
  for i, report in ipairs(result.steps) do list[i] = report[key] end
  table.sort(list)
  return list[(#list + 1) // 2]
end

--- Runs build/lrnde-train with the words as arguments.  Returns { steps = { {step, loss, nfe, ..}.. }, summary = line }, or
-- nil and what went wrong.  title: shown before the tool's own progress; the last report follows it.
function runs.train(build, title, words)
  io.stderr:write(title, "\n")
  local pipe = assert(io.popen(("%s/lrnde-train %s --json"):format(build, quoted(words))))
  local result = { steps = {} }
  for line in pipe:lines() do
    if runs.field(line, "event") == "summary" then
      result.summary = line
    elseif runs.field(line, "step") then
      local step = runs.report(line)
      result.steps[#result.steps + 1] = step
    end
  end
  local last = result.steps[#result.steps]
  if last then
    io.stderr:write(("  step %d  loss %.4f  accuracy %.3f  nfe %d\n"):format(last.step, last.loss, last.accuracy or 0, last.nfe))
  end
  local ok, _, status = pipe:close()
  if not ok or not result.summary then return nil, ("lrnde-train ended with status %s"):format(tostring(status)) end
  return result
end

--- One number of a run's summary.
function runs.summary(run, key) return runs.field(run.summary, key) end

return runs
