-- Revokes one grant of a lock that several may hold at a time: takes it from its holder, and passes the lock on to as many as fit.
-- KEYS: lock, waiters, alive. Only the lock while a slot of a Cluster moves.
-- ARGV: fencing token in 16 digits, claim window in ms
-- Returns: whether the lock is, or was until such a request, held under that token (1 or 0). -1 when the key is not a lock of ours.
-- Complexity: O(N + log W) for N holders and W waiters.
local time = redis.call('TIME')
local now = string.sub('0000000000' .. time[1], -10) .. string.sub('000000' .. time[2], -6)
--INCLUDE
if not KEYS[2] then
  return queue_moves()
end
local queue = { waiters = KEYS[2], alive = KEYS[3] }
-- Changes nothing, but a server without memory lets a script's writes through when they follow one that takes none.
redis.call('ZREM', queue.waiters, '')
local known = redis.pcall('HMGET', KEYS[1], '-' .. ARGV[1])
if known.err then
  return string.find(known.err, 'WRONGTYPE', 1, true) and -1 or known
end
if known[1] and tonumber(known[1]) > tonumber(now) then
  -- A repeated request gets the same reply as the first one.
  return 1
end
local lock, failure = read_shares(KEYS[1], queue, now)
if not lock then
  return failure or -1
end
for owner, grant in pairs(lock.kind ~= 'e' and lock.grants or {}) do
  if grant.token == ARGV[1] then
    remove_grant(lock, owner)
    if grant.state ~= 'R' then
      -- For the holder's next renewal, which comes before its lease would have run out, or not at all.
      redis.call('HSET', KEYS[1], '-' .. grant.token, whole(ends_at(grant)))
      tell(KEYS[1], 'revoked', owner .. '#' .. grant.entries, grant.token)
    end
    pass_shares_on(KEYS[1], queue, lock, now, tonumber(ARGV[2]))
    write_shares(KEYS[1], queue, lock, now)
    return 1
  end
end
return 0
