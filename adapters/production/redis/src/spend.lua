-- Counts what a job has used, once, whether there is room or not.
-- KEYS: the job's mark, then counters of its tenant. ARGV: how much, how long the mark stays (ms), then the length of
-- each counter's window (ms).
if not redis.call('SET', KEYS[1], 1, 'NX', 'PX', ARGV[2]) then
    return 0
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for at = 2, #KEYS do
    local length = tonumber(ARGV[at + 1])
    local kept = redis.call('HMGET', KEYS[at], 'window', 'count', 'before')
    local window, count, before = tonumber(kept[1] or 0), tonumber(kept[2] or 0), tonumber(kept[3] or 0)
    local number = math.floor(now / length)
    if number > window then
        before = number == window + 1 and count or 0
        window, count = number, 0
    end
    redis.call('HSET', KEYS[at], 'window', string.format('%.0f', window), 'count',
        string.format('%.0f', count + tonumber(ARGV[1])), 'before', string.format('%.0f', before))
    redis.call('PEXPIRE', KEYS[at], string.format('%.0f', 2 * length))
end
return 1
