-- Looks at a lock that several may hold at a time, and its queue.
-- KEYS: lock, waiters, alive. Only the lock while a slot of a Cluster moves.
-- ARGV: how many waiters to list at most
-- Returns: the time in µs, and after it what the lock is if there is one; how many wait; for each waiter itself, its arrival in µs (of an upgrade, in ms), ms until which it is
--   alive, and what it wants, or ? where that was lost; then for each grant its owner and itself. -1 when the key is not a lock of this kind.
-- Complexity: O(N log N + log W) for N holders and listed waiters of W waiters.
if not KEYS[2] then
  return redis.error_reply('TRYAGAIN The queue of the lock is being moved.')
end
local time = redis.call('TIME')
local now = string.sub('0000000000' .. time[1], -10) .. string.sub('000000' .. time[2], -6)
local stored = redis.pcall('HGETALL', KEYS[1])
if stored.err then
  return string.find(stored.err, 'WRONGTYPE', 1, true) and -1 or stored
end
local lock, grants, wants = nil, {}, {}
for i = 1, #stored, 2 do
  local first = string.sub(stored[i], 1, 1)
  if first == '@' then
    lock = stored[i + 1]
  elseif first == '?' then
    wants[string.sub(stored[i], 2)] = stored[i + 1]
  elseif first ~= '-' or string.find(stored[i], '/', 1, true) then
    grants[#grants + 1] = stored[i]
    grants[#grants + 1] = stored[i + 1]
  end
end
if not lock or not string.find(lock, '^[pw]' .. string.rep('%d', 21) .. '[01]' .. string.rep('%d', 31)) then
  return -1
end
-- To ZRANGE the end -1 would be the last one.
local queue = ARGV[1] == '0' and {} or redis.call('ZRANGE', KEYS[2], 0, tonumber(ARGV[1]) - 1, 'WITHSCORES')
local reply = { now .. lock, redis.call('ZCARD', KEYS[2]), #queue / 2 }
for i = 1, #queue, 2 do
  reply[#reply + 1] = queue[i]
  reply[#reply + 1] = string.format('%.0f', tonumber(queue[i + 1]))
  reply[#reply + 1] = string.format('%.0f', tonumber(redis.call('ZMSCORE', KEYS[3], queue[i])[1] or 0))
  reply[#reply + 1] = wants[queue[i]] or (string.sub(lock, 1, 1) == 'p' and 'p' or '?')
end
for i = 1, #grants do
  reply[#reply + 1] = grants[i]
end
return reply
