-- Looks at a lock and its queue.
-- KEYS: record, waiters, alive. Only the record while a slot of a Cluster moves.
-- ARGV: how many waiters to list at most
-- Returns: the time in µs, and after it the record if there is one; how many wait; then for each waiter itself, its arrival in µs and ms until
--   which it is alive.
-- Complexity: O(log W + N log W) for N of W waiters.
if not KEYS[2] then
  return redis.error_reply('TRYAGAIN The queue of the lock is being moved.')
end
local time = redis.call('TIME')
local now = string.sub('0000000000' .. time[1], -10) .. string.sub('000000' .. time[2], -6)
local record = redis.call('GET', KEYS[1]) or ''
if record == '' and redis.call('EXISTS', KEYS[1]) == 1 then
  -- Garnet says of a key of another type that it has no value. One character is no record.
  record = '?'
end
local reply = { now .. record, redis.call('ZCARD', KEYS[2]) }
-- To ZRANGE the end -1 would be the last one.
local queue = ARGV[1] == '0' and {} or redis.call('ZRANGE', KEYS[2], 0, tonumber(ARGV[1]) - 1, 'WITHSCORES')
for i = 1, #queue, 2 do
  reply[#reply + 1] = queue[i]
  reply[#reply + 1] = string.format('%.0f', tonumber(queue[i + 1]))
  reply[#reply + 1] = string.format('%.0f', tonumber(redis.call('ZMSCORE', KEYS[3], queue[i])[1] or 0))
end
return reply
