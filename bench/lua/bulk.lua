-- A POST of many entries, each between two random accounts, posted whole.
local bench = dofile(os.getenv("BENCH_LUA") .. "/bench.lua")
local entries = tonumber(os.getenv("BENCH_ENTRIES"))

function request()
  local bodies = {}
  for each = 1, entries do
    local debit, credit = bench.pair()
    bodies[each] = bench.entry(debit, credit)
  end
  return wrk.format("POST", bench.path, bench.headers(), '{"entries":[' .. table.concat(bodies, ",") .. "]}")
end
