-- A GET of a path in which {} is a random number.
local bench = dofile(os.getenv("BENCH_LUA") .. "/bench.lua")

function request()
  return wrk.format("GET", (bench.path:gsub("{}", tostring(math.random(1, bench.accounts)))), bench.headers())
end
