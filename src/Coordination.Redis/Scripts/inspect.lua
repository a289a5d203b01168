-- Looks at a lock and its queue.
-- KEYS: lock, waiters, alive
-- ARGV: how many waiters to list at most
-- Returns: the time in µs; how many wait; owner, token, since in µs, ms that it lasts and whether it was released (five empty
--   strings when it is free); then for each waiter itself, its arrival in µs and ms until which it is alive.
-- Complexity: O(log W + N log W) for N of W waiters.
local held = redis.call('HMGET', KEYS[1], 'owner', 'token', 'since', 'released')
local reply = { whole(now_micros()), redis.call('ZCARD', KEYS[2]), '', '', '', '', '' }
if held[1] then
  reply[3], reply[4], reply[5], reply[6], reply[7] = held[1], held[2], held[3], redis.call('PTTL', KEYS[1]), held[4] and 1 or 0
elseif redis.call('EXISTS', KEYS[1]) == 1 then
  return { -1 }
end
-- To ZRANGE the end -1 would be the last one.
local queue = ARGV[1] == '0' and {} or redis.call('ZRANGE', KEYS[2], 0, tonumber(ARGV[1]) - 1, 'WITHSCORES')
for i = 1, #queue, 2 do
  reply[#reply + 1] = queue[i]
  reply[#reply + 1] = whole(tonumber(queue[i + 1]))
  reply[#reply + 1] = whole(tonumber(redis.call('ZSCORE', KEYS[3], queue[i]) or 0))
end
return reply
