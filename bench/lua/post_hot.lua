-- A POST of one entry whose first account is always the same one.
local bench = dofile(os.getenv("BENCH_LUA") .. "/bench.lua")

function request()
  return wrk.format("POST", bench.path, bench.headers(), bench.entry(1, math.random(2, bench.accounts)))
end
