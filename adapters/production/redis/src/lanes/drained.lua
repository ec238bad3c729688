-- Says that a lane has no backlog, if nothing was announced since. The count goes on: no number comes twice.
-- KEYS: the count. ARGV: channel, lane, the number when SQL was asked
if redis.call('HGET', KEYS[1], 'announced') ~= ARGV[3] then
    return 0
end
redis.call('HSET', KEYS[1], 'drained', ARGV[3])
redis.call('PUBLISH', ARGV[1], 'drained ' .. ARGV[2] .. ' ' .. ARGV[3])
return 1
