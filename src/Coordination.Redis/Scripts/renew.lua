-- Extends the locks that their owners still hold, and only those: never makes a lock, never touches another's, never
-- shortens a lease. A lock that was passed on counts as held, and is claimed by this.
-- KEYS: lock and taken, for each request
-- ARGV: owner and lease in ms, for each request
-- Returns: for each request, whether the lock is the owner's (1), is not (0), or was taken from it by an administrator (2).
-- Complexity: O(N) for N requests.
local answers = {}
for i = 1, #KEYS, 2 do
  local lock, taken, owner, lease = KEYS[i], KEYS[i + 1], ARGV[i], tonumber(ARGV[i + 1])
  -- A key of another type is not this owner's lock. By pcall, so that it does not fail the other requests.
  local held = redis.pcall('HMGET', lock, 'owner', 'released', 'claim')
  local answer = 0
  if held[1] == owner and not held[2] then
    if held[3] then
      redis.call('HDEL', lock, 'claim')
    end
    expire_no_sooner(lock, lease)
    answer = 1
  elseif redis.pcall('GET', taken) == owner then
    answer = 2
  end
  answers[#answers + 1] = answer
end
return answers
