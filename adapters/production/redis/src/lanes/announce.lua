-- Counts an announcement of a lane's backlog and tells the relays.
-- KEYS: the count. ARGV: channel, lane, how long it counts (ms)
local number = redis.call('HINCRBY', KEYS[1], 'announced', 1)
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('PUBLISH', ARGV[1], 'backlog ' .. ARGV[2] .. ' ' .. number)
return number
