-- Claims a lock that was handed over to a wait of the owner, which leaves the queue. Never makes a lock, never touches another's, and never
-- revives one that was released: so it may be on its way beside a release.
-- KEYS: record, waiters, alive. Only the record while a slot of a Cluster moves.
-- ARGV: token in 16 digits, lease in ms in 8 and owner#entry in one text
-- Returns: whether the lock is the owner's (1), is not (0), or was revoked by an operator (2).
-- Complexity: O(log W) for W waiters.
local record = redis.pcall('GET', KEYS[1])
if type(record) == 'table' then
  -- A key of another type is not this owner's lock.
  return string.find(record.err, 'WRONGTYPE', 1, true) and 0 or record
end
local time = redis.call('TIME')
local now = string.sub('0000000000' .. time[1], -10) .. string.sub('000000' .. time[2], -6)
--INCLUDE
if not record or is_foreign(KEYS[1], record) then
  return 0
end
local token, waiter = string.sub(ARGV[1], 1, 16), string.sub(ARGV[1], 25)
local lock = read(record, now)
if (lock.state ~= 'H' and lock.state ~= 'C') or lock.token ~= token or owner_of(lock.who) ~= owner_of(waiter) then
  return string.find(',' .. lock.revoked, ',' .. token .. ':', 1, true) and 2 or 0
end
local lease = tonumber(string.sub(ARGV[1], 17, 24))
if lock.state == 'C' then
  lock.state, lock.from, lock.lease = 'H', tonumber(now), lease
else
  extend(lock, now, lease)
end
if KEYS[2] then
  local queue = { waiters = KEYS[2], alive = KEYS[3] }
  leave_queue(queue, waiter)
  lock.queue = find_flag(queue)
end
write(KEYS[1], lock, now)
return 1
