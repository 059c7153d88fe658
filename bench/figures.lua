--- Figures of Pal, Edelman & Rackauckas 2023: lua5.4 bench/figures.lua BUILD FOLDER
--
-- Figure 2: Robertson's problem to t = 1e5 by rodas5, atol = rtol = 1e-6.  The steps of a stiff solver are nearly all taken
-- where the solution changes: the paper puts about 75 % of them before t = 5000, in a twentieth of the time.

local build, folder = arg[1] or "build", arg[2] or "build/figures"

assert(os.execute(("mkdir -p '%s'"):format(folder)))
local picture = folder .. "/robertson.svg"
local pipe = assert(io.popen(("%s/lrnde-solve --json --stats --method rodas5 --atol 1e-6 --rtol 1e-6 --tspan 0,1e5 --plot '%s' %s")
  :format(build, picture, "models/robertson.lua")))
local line = pipe:read "a"
assert(pipe:close(), "lrnde-solve failed")

local total, early = 0, 0
for t in assert(line:match '"mesh":%[([^%]]*)%]', "no mesh"):gmatch "[^,]+" do
  total, early = total + 1, early + (tonumber(t) < 5000 and 1 or 0)
end
print(("figure 2: %s: %d of %d time points before t = 5000: %.1f %%"):format(picture, early, total, 100 * early / total))
