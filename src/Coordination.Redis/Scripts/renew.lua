-- Extends the locks that their owners still hold, and only those: never makes a lock, never touches another's, never
-- shortens a lease. A lock that was passed on counts as held, and is claimed by this.
-- KEYS: lock, for each request
-- ARGV: owner and lease in ms, for each request
-- Returns: for each request, whether the lock is the owner's (1 or 0).
-- Complexity: O(N) for N requests.
local answers = {}
for i, lock in ipairs(KEYS) do
  local owner, lease = ARGV[2 * i - 1], tonumber(ARGV[2 * i])
  answers[i] = 0
  -- A key of another type is not this owner's lock. Asking for the type keeps it from failing the other requests.
  local type = redis.call('TYPE', lock)
  if (type.ok or type) == 'hash' and redis.call('HGET', lock, 'owner') == owner then
    redis.call('HDEL', lock, 'claim')
    expire_no_sooner(lock, lease)
    answers[i] = 1
  end
end
return answers
