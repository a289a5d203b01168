-- For whoever wants a lock as an exclusive one: says as what it is used, and where nobody uses it any more makes it one.
-- KEYS: lock, waiters, alive. Only the lock while a slot of a Cluster moves.
-- Returns: as what it is used (p or w) and how many permits it has; or 1 when it is free to be an exclusive lock. -1 when the key is not a lock of ours.
-- Complexity: O(N + log W) for N holders and W waiters.
local time = redis.call('TIME')
local now = string.sub('0000000000' .. time[1], -10) .. string.sub('000000' .. time[2], -6)
--INCLUDE
if not KEYS[2] then
  return queue_moves()
end
local queue = { waiters = KEYS[2], alive = KEYS[3] }
local stored = redis.pcall('HMGET', KEYS[1], '@')
if stored.err then
  if not string.find(stored.err, 'WRONGTYPE', 1, true) then
    return stored
  end
  -- Meanwhile it is an exclusive lock, or something else wrote the key, perhaps of a type that is no text either.
  local record = redis.pcall('GET', KEYS[1])
  return (type(record) == 'table' or is_foreign(KEYS[1], record)) and -1 or 1
end
if not stored[1] then
  return redis.call('EXISTS', KEYS[1]) == 0 and 1 or -1
end
local lock, failure = read_shares(KEYS[1], queue, now)
if not lock then
  return failure or -1
end
if next(lock.grants) or live_waiters(queue, now, nil)[1] then
  return { lock.kind, lock.permits }
end
redis.call('DEL', KEYS[1], queue.waiters, queue.alive)
write(KEYS[1], { token = lock.token, from = 0, state = 'F', queue = '0', lease = 0, who = '', since = '', revoked = '' }, now)
return 1
