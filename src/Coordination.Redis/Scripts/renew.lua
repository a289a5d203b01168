-- Extends the locks that their owners still hold, and only those: never makes a lock, never touches another's, never
-- shortens a lease. A lock that was passed on counts as held, and is claimed by this.
-- KEYS: lock and revoked, for each request
-- ARGV: owner, token (empty for any) and lease in ms, for each request
-- Returns: for each request, whether the lock is the owner's (1), is not (0), or was revoked by an operator (2).
-- Complexity: O(N) for N requests.
local replies = {}
for i = 1, #KEYS / 2 do
  local lock, revoked = KEYS[2 * i - 1], KEYS[2 * i]
  local owner, token, lease = ARGV[3 * i - 2], ARGV[3 * i - 1], tonumber(ARGV[3 * i])
  -- A key of another type is not this owner's lock. By pcall, so that it does not fail the other requests. Any other error, such as a missing
  -- right, says nothing of the lock.
  local held = redis.pcall('HMGET', lock, 'owner', 'released', 'claim', 'token')
  if held.err and not string.find(held.err, 'WRONGTYPE', 1, true) then
    return held
  end
  local reply = 0
  if held[1] == owner and not held[2] and (token == '' or token == held[4]) then
    if held[3] then
      redis.call('HDEL', lock, 'claim')
    end
    expire_no_sooner(lock, lease)
    reply = 1
  elseif redis.pcall('HEXISTS', revoked, token) == 1 then
    reply = 2
  end
  replies[i] = reply
end
return replies
