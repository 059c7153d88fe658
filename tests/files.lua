--- Tests of what the host does with files and words.

local check = require "check"
local host = require "host"

check.case("sha256 agrees with sha256sum at every length of the padding", function()
  local folder = check.folder()
  for _, length in ipairs { 0, 1, 3, 54, 55, 56, 57, 63, 64, 65, 118, 119, 120, 128, 1000, 100000 } do
    local bytes = {}
    for i = 1, length do bytes[i] = string.char(i * i % 251) end
    local text = table.concat(bytes)
    host.write(folder .. "/x", text)
    check.equal(host.sha256(text), check.run("sha256sum < " .. folder .. "/x"):sub(1, 64))
  end
  check.run("rm -r " .. folder)
end)

-- With mirrors that give something else, the file that is there first too.
check.case("fetching MNIST: what has another sum is not taken", function()
  local folder = check.folder()
  host.write(folder .. "/bin/curl", '#!/bin/sh\necho junk >"$3"\n')
  host.write(folder .. "/mnist/train-images-idx3-ubyte.gz", "cut off")
  local text, status = check.run(("chmod +x %s/bin/curl && PATH=%s/bin:$PATH sh %s/bench/fetch_mnist.sh %s/mnist"):format(
    folder, folder, host.root, folder))
  check.equal({ text, status }, { "error: train-images-idx3-ubyte.gz: no mirror gave the expected file\n", 1 })
  check.run("rm -r " .. folder)
end)

check.case("write makes folders, leaves an equal file alone, leaves nothing beside it", function()
  local folder = check.folder()
  local path = folder .. "/a/b/x"
  check.equal(host.write(path, "one\0two"), true)
  check.equal(host.read(path), "one\0two")
  check.run("touch -d 2001-01-01 " .. path)
  check.equal(host.write(path, "one\0two"), false)
  check.equal((check.run("stat -c %Y " .. path)), check.run("date -d 2001-01-01 +%s"))
  check.equal(host.write(path, "three"), true)
  check.equal(host.read(path), "three")
  check.equal(host.list(folder .. "/a/b"), { "x" })
  check.contains(check.raises(host.write, path .. "/y", ""), path .. "/y: error: cannot be written: Not a directory")
  check.run("rm -r " .. folder)
end)

check.case("list is sorted and leaves hidden names out", function()
  local folder = check.folder()
  for _, name in ipairs { "b", "a", "B", ".hidden", "10", "9" } do host.write(folder .. "/" .. name, "") end
  check.equal(host.list(folder), { "10", "9", "B", "a", "b" })
  check.run("rm -r " .. folder)
end)

check.case("what is missing is nil and a message", function()
  check.equal({ host.read "/nowhere/x" }, { nil, "/nowhere/x: No such file or directory" })
  check.equal({ host.list "/nowhere" }, { nil, "/nowhere: No such file or directory" })
  check.equal({ host.read "/" }, { nil, "/: Is a directory" })
end)

check.case("nearest: a slip of the finger is understood, another word is not", function()
  local names = { "solver", "sensitivity", "state", "regularize", "rtol" }
  for word, expected in pairs {
    sovler = "solver", sensitivty = "sensitivity", STATE = "state", reg = "regularize", reltol = "rtol", solvers = "solver",
  } do check.equal(host.nearest(word, names), expected) end
  for _, word in ipairs { "", "optimizer", "x", ("solver"):rep(50) } do check.equal(host.nearest(word, names), nil) end
  check.equal(host.nearest("solver", {}), nil)
end)

check.case("number takes a whole text or nothing", function()
  check.equal(host.number "1e-5", 1e-5)
  check.equal(host.number "0x1.8p1", 3.0)
  check.equal(host.number "-inf", -math.huge)
  for _, text in ipairs { "", "1x", "1 2", "x", "1\0" } do check.equal(host.number(text), nil) end
end)

check.case("pairs goes by numbers, then strings; __pairs is respected; removed keys are passed over", function()
  local seen = {}
  local t = { b = 1, a = 2, [3] = 3, [1] = 4, [2.5] = 5, [-1] = 6 }
  for key, item in host.pairs(t) do
    seen[#seen + 1] = key .. "=" .. item
    t.b = nil
  end
  check.equal(table.concat(seen, " "), "-1=6 1=4 2.5=5 3=3 a=2")
  for key in host.pairs(setmetatable({}, { __pairs = function() return next, { z = 1 } end })) do check.equal(key, "z") end
  check.contains(check.raises(host.pairs, { [{}] = 1, [1] = 1 }), "only numbers and strings have an order")
end)

check.done()
