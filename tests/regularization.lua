--- What lrnde-gen says of a model's regularizers: the warning about trajectories, and what --check differentiates.

local check = require "check"

local GEN <const> = check.tool "lrnde-gen"
local scratch <const> = check.folder()

local function generate(model, set, options)
  local words = {}
  for i, setting in ipairs(set) do words[i] = (" --set '%s'"):format(setting) end
  local text, status = check.run(("%s -o %s/out %s%s %s"):format(GEN, scratch, options or "", table.concat(words), model))
  if status ~= 0 then error(text) end
  return text
end

local WARNING <const> = "models/spiral.lua:regularize: warning: the loss looks at the state itself at several times; "
                        .. "regularizing is not for learning the true dynamics\n"

check.case("a loss on the state at several times is warned of, once", function()
  check.equal(generate("models/spiral.lua", { "regularize=true" }), WARNING)
  check.equal(generate("models/spiral.lua", { "regularize={{},{scale=\"none\"}}" }), WARNING)
end)

check.case("no warning without regularizer, at one time, or of a function of the state", function()
  check.equal(generate("models/spiral.lua", {}), "")
  check.equal(generate("models/fashion_node.lua", {}), "")
  check.equal(generate("tests/numeric/models/fitted.lua", { "regularize={}" }), "")
end)

--- What --check says of a model with this regularizer: each of `parts` is differentiated, and right.
local function check_parts(regularize, method, parts)
  local text = generate("tests/models/mixed.lua", { "regularize=" .. regularize }, "--check --method " .. method)
  for _, what in ipairs(parts) do
    check.below(tonumber(text:match("\n" .. what .. " +vjp against the complex step: (%S+)")), 1e-9)
  end
end

check.case("--check differentiates estimates and local step", function()
  for _, gradient in ipairs { "truncated", "partial", "total" } do
    check_parts(('{gradient="%s",{},{estimate="stiffness"},{scale="none"}}'):format(gradient), "tsit5",
                { "estimate error", "estimate stiffness", "estimate error_2", "local step" })
  end
end)

check.case("--check differentiates the steps that a method begins with as well", function()
  check_parts("{}", "vcab3", { "step", "start step", "local step", "start local step" })
end)

check.done()
