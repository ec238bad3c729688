-- Says that a process takes so many ids at once, and reports on every lane.
-- KEYS: the slots of processes, then for each lane its backlog, its lists, and its sorted sets.
-- ARGV: process, how long it counts (ms), lists of a lane, sorted sets of a lane, its slots in each lane...
local process, stays, lists, sets = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local lanes = #ARGV - 4
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local own = table.concat(ARGV, ',', 5)
if string.find(own, '[1-9]') then
    redis.call('HSET', KEYS[1], process, string.format('%.0f', now + stays) .. ',' .. own)
    redis.call('PEXPIRE', KEYS[1], stays)
else
    redis.call('HDEL', KEYS[1], process)
end
local slots = {}
for lane = 1, lanes do
    slots[lane] = 0
end
local processes = redis.call('HGETALL', KEYS[1])
for at = 1, #processes, 2 do
    local lane = 0
    for number in string.gmatch(processes[at + 1], '%d+') do
        if lane == 0 and tonumber(number) < now then
            redis.call('HDEL', KEYS[1], processes[at])
            break
        elseif lane > 0 and lane <= lanes then
            slots[lane] = slots[lane] + tonumber(number)
        end
        lane = lane + 1
    end
end
local report = {}
for lane = 1, lanes do
    local first = 2 + (lane - 1) * (lists + sets + 1)
    local depth = 0
    for list = first + 1, first + lists do
        depth = depth + redis.call('LLEN', KEYS[list])
    end
    for set = first + lists + 1, first + lists + sets do
        depth = depth + redis.call('ZCARD', KEYS[set])
    end
    local counts = redis.call('HMGET', KEYS[first], 'announced', 'drained')
    local backlog = 0
    if counts[1] and counts[1] ~= counts[2] then
        backlog = tonumber(counts[1])
    end
    report[lane] = { slots[lane], depth, backlog }
end
return report
