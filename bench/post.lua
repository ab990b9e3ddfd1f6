-- wrk: a POST of one entry between two random accounts, each with an idempotency key of its own.
local accounts = tonumber(os.getenv("BENCH_ACCOUNTS"))
local path = os.getenv("BENCH_PATH")
local count, run = 0, nil
local headers = {
  ["Content-Type"] = "application/json", ["X-Org-Slug"] = os.getenv("BENCH_ORG"), ["X-Api-Key"] = os.getenv("BENCH_KEY"),
  ["Prefer"] = os.getenv("BENCH_PREFER"),
}

function init(args)
  math.randomseed(tonumber(os.getenv("BENCH_SEED")))
  run = os.getenv("BENCH_SEED")
end

function request()
  count = count + 1
  local debit = math.random(1, accounts)
  local credit = math.random(1, accounts - 1)
  if credit >= debit then credit = credit + 1 end
  local body = '{"idempotency_key":"' .. run .. '-' .. count .. '","description":"Customer deposit","lines":['
    .. '{"account_id":' .. debit .. ',"amount":50000,"direction":"debit"},'
    .. '{"account_id":' .. credit .. ',"amount":50000,"direction":"credit"}]}'
  return wrk.format("POST", path, headers, body)
end
