-- Posts one body for ever on every connection, and tells at the end what came of it, as one line of JSON.
local file = assert(io.open(os.getenv("WRK_BODY"), "rb"))
wrk.method, wrk.body = "POST", file:read("*a")
file:close()
wrk.headers["Content-Type"] = "application/json"
if os.getenv("WRK_TOKEN") then
    wrk.headers["Authorization"] = "Bearer " .. os.getenv("WRK_TOKEN")
end

function done(summary, latency)
    local failed = summary.errors
    print(string.format(
        '{"requests": %d, "bytes": %d, "micros": %d, "failed": %d, "p50": %d, "p99": %d}',
        summary.requests, summary.bytes, summary.duration, failed.connect + failed.read + failed.write + failed.status + failed.timeout,
        latency:percentile(50), latency:percentile(99)
    ))
end
