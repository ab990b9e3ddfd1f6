-- A POST to a path in which {} is a hold's number: each hold once, from the first one on.
local bench = dofile(os.getenv("BENCH_LUA") .. "/bench.lua")
local hold = tonumber(os.getenv("BENCH_FIRST")) - 1

function request()
  hold = hold + 1
  local path = bench.path:gsub("{}", tostring(hold))
  return wrk.format("POST", path, bench.headers(), '{"idempotency_key":"' .. bench.key() .. '"}')
end
