-- Counts something against every counter if all have room, and against none otherwise.
-- KEYS: counters of one tenant. ARGV: how much (0: only look), then for each counter its limit, the length of its
-- window (ms), and 1 if the window slides.
-- Answers the time (ms), whether there was room, then for each counter its window, its count and the count before.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local much, room = tonumber(ARGV[1]), 1
local found = {}
for at, key in ipairs(KEYS) do
    local most, length, slides = tonumber(ARGV[3 * at - 1]), tonumber(ARGV[3 * at]), ARGV[3 * at + 1] == '1'
    local kept = redis.call('HMGET', key, 'window', 'count', 'before')
    local window, count, before = tonumber(kept[1] or 0), tonumber(kept[2] or 0), tonumber(kept[3] or 0)
    local number = math.floor(now / length)
    if number > window then
        before = number == window + 1 and count or 0
        window, count = number, 0
    end
    local used = count
    if slides then
        used = used + math.floor(before * (length - now % length) / length)
    end
    if used + much > most then
        room = 0
    end
    found[at] = { window, count, before }
end
local answer = { now, room }
for at, key in ipairs(KEYS) do
    local window, count, before = unpack(found[at])
    if room == 1 and much > 0 then
        count = count + much
        redis.call('HSET', key, 'window', string.format('%.0f', window), 'count', string.format('%.0f', count),
            'before', string.format('%.0f', before))
        redis.call('PEXPIRE', key, string.format('%.0f', 2 * tonumber(ARGV[3 * at])))
    end
    answer[#answer + 1], answer[#answer + 2], answer[#answer + 3] = window, count, before
end
return answer
