-- wrk: a GET of a path in which {} is a random number.
local numbers = tonumber(os.getenv("BENCH_ACCOUNTS"))
local path = os.getenv("BENCH_PATH")
local headers = { ["X-Org-Slug"] = os.getenv("BENCH_ORG"), ["X-Api-Key"] = os.getenv("BENCH_KEY") }

function request()
  return wrk.format("GET", (path:gsub("{}", tostring(math.random(1, numbers)))), headers)
end
