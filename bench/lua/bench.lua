-- What all scripts share: who calls, a fresh idempotency key, a look at each answer, and one line of figures at the end.
local bench = { run = os.getenv("BENCH_RUN"), path = os.getenv("BENCH_PATH"), accounts = tonumber(os.getenv("BENCH_ACCOUNTS")) }
local status, text = tonumber(os.getenv("BENCH_STATUS")), os.getenv("BENCH_TEXT")
local prefer, pause_ms = os.getenv("BENCH_PREFER"), tonumber(os.getenv("BENCH_PAUSE_MS"))
local threads, callers, count = {}, {}, 0

for line in io.lines(os.getenv("BENCH_ORGS")) do
  local slug, key = line:match("(%S+) (%S+)")
  callers[#callers + 1] = {
    ["Content-Type"] = "application/json", ["X-Org-Slug"] = slug, ["X-Api-Key"] = key, ["Prefer"] = prefer,
  }
end

function bench.headers() return callers[#callers == 1 and 1 or math.random(1, #callers)] end

function bench.key()
  count = count + 1
  return bench.run .. "-" .. count
end

function bench.pair()
  local debit, credit = math.random(1, bench.accounts), math.random(1, bench.accounts - 1)
  if credit >= debit then credit = credit + 1 end
  return debit, credit
end

function bench.entry(debit, credit)
  return '{"idempotency_key":"' .. bench.key() .. '","description":"Customer deposit by bank card","lines":[{"account_id":' .. debit
    .. ',"amount":50000,"direction":"debit"},{"account_id":' .. credit .. ',"amount":50000,"direction":"credit"}]}'
end

function setup(thread) threads[#threads + 1] = thread end

function init() math.randomseed(tonumber(os.getenv("BENCH_SEED"))) end

wrong, example = 0, ""
function response(answered, headers, body)
  if answered ~= status or not body:find(text, 1, true) then
    wrong, example = wrong + 1, answered .. " " .. body:sub(1, 300)
  end
end

if pause_ms then
  function delay() return math.random(0, math.floor(2 * pause_ms + 0.5)) end
end

function done(summary, latency)
  local bad, seen = 0, ""
  for _, thread in ipairs(threads) do
    bad = bad + thread:get("wrong")
    seen = thread:get("example")
  end
  local errors = summary.errors
  io.write(string.format("figures answers=%d us=%d p50_us=%d p99_us=%d connect=%d read=%d write=%d status=%d timeout=%d wrong=%d\n",
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect, errors.read, errors.write, errors.status, errors.timeout, bad))
  if bad > 0 then io.write("example ", seen, "\n") end
end

return bench
