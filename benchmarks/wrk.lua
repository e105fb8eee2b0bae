-- Send the bodies of a file (one per line) one after the other, and print the result as one line of JSON.
-- The marker in a body is replaced by the numbers of the run and of the request, so that no body is sent twice.
-- A line may start with its own token and a tab.
local marker, run = os.getenv("WRK_MARKER"), os.getenv("WRK_RUN")
local bodies, tokens, before, after, sent = {}, {}, {}, {}, 0
for line in io.lines(os.getenv("WRK_BODIES")) do
    local token, body = line:match("^([^\t]*)\t(.*)$")
    bodies[#bodies + 1] = body or line
    tokens[#bodies] = token or os.getenv("WRK_TOKEN")
end
wrk.method, wrk.body = "POST", bodies[1]
wrk.headers["Content-Type"] = "application/json"

local function authorize(place)
    wrk.headers["Authorization"] = tokens[place] and "Bearer " .. tokens[place]
end
authorize(1)

-- Format requests once: the number is as wide as the marker, so the Content-Length stays correct.
function init()
    for place, body in ipairs(bodies) do
        authorize(place)
        local request = wrk.format(nil, nil, nil, body)
        local first, last = request:find(marker, 1, true)
        if first then
            before[place], after[place] = request:sub(1, first - 1) .. run, request:sub(last + 1)
        end
    end
end

-- Without this function wrk sends one fixed request, which takes less processor time.
if bodies[1]:find(marker, 1, true) then
    function request()
        local place = sent % #bodies + 1
        sent = sent + 1
        return before[place] .. string.format("%012d", sent) .. after[place]
    end
end

function done(summary, latency)
    local failed = summary.errors
    print(string.format(
        '{"requests": %d, "bytes": %d, "micros": %d, "failed": %d, "p50": %d, "p99": %d}',
        summary.requests, summary.bytes, summary.duration, failed.connect + failed.read + failed.write + failed.status + failed.timeout,
        latency:percentile(50), latency:percentile(99)
    ))
end
