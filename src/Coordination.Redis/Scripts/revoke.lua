-- Revokes a lock: takes it from its holder, and passes it on.
-- KEYS: record, waiters, alive. Only the record while a slot of a Cluster moves.
-- ARGV: fencing token in 16 digits, claim window in ms
-- Returns: whether the lock is, or was until such a request, held under that token (1 or 0). -1 when the key is not a lock of ours.
-- Complexity: as of a release.
local record = redis.call('GET', KEYS[1])
local time = redis.call('TIME')
local now = string.sub('0000000000' .. time[1], -10) .. string.sub('000000' .. time[2], -6)
--INCLUDE
if is_foreign(KEYS[1], record) then
  return -1
end
if not record then
  return 0
end
local lock = read(record, now)
if lock.state == 'F' or lock.token ~= ARGV[1] then
  -- A repeated request gets the same reply as the first one.
  return string.find(',' .. lock.revoked, ',' .. ARGV[1] .. ':', 1, true) and 1 or 0
end
if not KEYS[2] and lock.queue == '1' then
  return queue_moves()
end
local queue = { waiters = KEYS[2], alive = KEYS[3] }
if KEYS[2] then
  -- Changes nothing, but a server without memory lets a script's writes through when they follow one that takes none.
  redis.call('ZREM', queue.waiters, '')
end
if lock.state ~= 'R' then
  -- For the holder's next renewal, which comes before its lease would have run out, or not at all.
  lock.revoked = lock.revoked .. (lock.revoked == '' and '' or ',') .. lock.token .. ':' .. whole(lock.from + lock.lease * 1000)
  tell(KEYS[1], 'revoked', lock.who, lock.token)
end
pass_on(KEYS[1], queue, lock, lock.queue == '1' and live_waiters(queue, now, nil) or {}, now, tonumber(ARGV[2]))
return 1
