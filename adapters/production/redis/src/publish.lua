-- Appends a batch of numbered events to a stream and tells who listens, unless its writer was superseded.
-- KEYS: the stream, its fence. ARGV: fence or '', channel, last number, events, time to live (ms), entries kept
local fence = ARGV[1]
if fence ~= '' then
    local holder = redis.call('GET', KEYS[2])
    if holder and holder ~= fence then
        return 0
    end
    redis.call('SET', KEYS[2], fence, 'PX', ARGV[5])
end
-- A number that is not higher than the last one is there already, or was announced late: then SQL has it.
redis.pcall('XADD', KEYS[1], 'MAXLEN', '~', ARGV[6], ARGV[3] .. '-1', 'e', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
redis.call('PUBLISH', ARGV[2], ARGV[4])
return 1
