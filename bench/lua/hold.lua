-- A POST of a hold on a random account, for another one.
local bench = dofile(os.getenv("BENCH_LUA") .. "/bench.lua")

function request()
  local account, counter = bench.pair()
  return wrk.format("POST", bench.path, bench.headers(), '{"idempotency_key":"' .. bench.key() .. '","account_id":' .. account
    .. ',"amount":2500,"counter_account_id":' .. counter .. ',"description":"Customer order"}')
end
