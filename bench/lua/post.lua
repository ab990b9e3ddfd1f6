-- A POST of one entry between two random accounts.
local bench = dofile(os.getenv("BENCH_LUA") .. "/bench.lua")

function request()
  local debit, credit = bench.pair()
  return wrk.format("POST", bench.path, bench.headers(), bench.entry(debit, credit))
end
