--- The test harness: named cases that collect failures, and a count at the end.
--
--   check.case("name", function() check.equal(actual, expected) ... end)
--   check.done()

local check = {}
local passed, failed = 0, 0

--- Runs fn; an error in it fails the case and is printed, and the next case goes on.
function check.case(name, fn)
  local ok, message = xpcall(fn, function(err)
    return type(err) == "string" and debug.traceback(err, 2) or tostring(err)
  end)
  if ok then
    passed = passed + 1
  else
    failed = failed + 1
    print(("FAIL %s\n  %s"):format(name, (message:gsub("\n", "\n  "))))
  end
end

local function is_plain(x) return type(x) == "table" and not getmetatable(x) end

-- Equal, plain tables by what they hold; NaN equals NaN.
local function same(a, b)
  if not (is_plain(a) and is_plain(b)) then return a == b or (a ~= a and b ~= b) end
  for key, item in pairs(a) do
    if not same(item, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

local function show(x)
  if type(x) == "number" and math.type(x) == "float" then return ("%.17g"):format(x) end
  if type(x) == "string" then return ("%q"):format(x) end
  if not is_plain(x) then return tostring(x) end
  local items = {}
  for key, item in pairs(x) do items[#items + 1] = ("%s = %s"):format(key, show(item)) end
  table.sort(items)
  return "{ " .. table.concat(items, ", ") .. " }"
end

function check.equal(actual, expected)
  if not same(actual, expected) then error(("expected %s, got %s"):format(show(expected), show(actual)), 2) end
end

--- |actual - expected| <= tolerance.
function check.near(actual, expected, tolerance)
  if not (math.abs(actual - expected) <= tolerance) then
    error(("expected %s within %g, got %s"):format(show(expected), tolerance, show(actual)), 2)
  end
end

--- |actual| <= limit; not a number is not below anything.
function check.below(actual, limit)
  if not (math.abs(actual) <= limit) then error(("expected at most %g, got %s"):format(limit, show(actual)), 2) end
end

--- The text has this part; not a pattern.
function check.contains(text, part)
  if not text:find(part, 1, true) then error(("expected %s in %s"):format(show(part), show(text)), 2) end
end

--- The message of the error that fn(...) raises.
function check.raises(fn, ...)
  local results = table.pack(pcall(fn, ...))
  if results[1] then error("expected an error", 2) end
  return tostring(results[2])
end

--- Runs a shell command; what it printed on both streams, and its exit status.
function check.run(command)
  local pipe <close> = assert(io.popen("{ " .. command .. "; } 2>&1 </dev/null"))
  local text = pipe:read "a"
  local _, _, status = pipe:close()
  return text, status
end

--- The command exits with this status and what it prints matches the Lua pattern.
function check.fails(command, status, pattern)
  local text, got = check.run(command)
  if got ~= status then error(("%s: expected exit status %d, got %d:\n%s"):format(command, status, got, text), 2) end
  if not text:find(pattern) then error(("%s: expected %s in %s"):format(command, show(pattern), show(text)), 2) end
end

--- The path of a tool, e.g. "lrnde-gen": beside the folder of the program that runs the tests, else in build/.
function check.tool(name)
  return (arg[-1]:match "^(.*)/tests/[^/]*$" or "build") .. "/" .. name
end

--- A new empty folder; the test removes it with check.run("rm -r " .. folder).
function check.folder()
  return (check.run("mktemp -d"):gsub("\n", ""))
end

--- Prints the count and ends the program: status 1 if a case failed.
function check.done()
  print(("%d passed, %d failed"):format(passed, failed))
  os.exit(failed == 0)
end

return check
