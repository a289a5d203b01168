-- Revokes a lock: takes it from its holder, and passes it on.
-- KEYS: lock, token, waiters, alive, revoked
-- ARGV: fencing token, claim window in ms
-- Returns: whether the lock is, or was until such a request, held under that token (1 or 0).
-- Complexity: as of a release.
local lock, token_key, waiters, alive, revoked = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local claim_window = tonumber(ARGV[2])

local held = redis.call('HMGET', lock, 'owner', 'token', 'released')
if held[2] ~= ARGV[1] then
  -- A repeated request gets the same reply as the first one.
  return redis.call('HEXISTS', revoked, ARGV[1])
end

if not held[3] then
  -- For the holder's next renewal, which comes before its lease would have run out, or not at all.
  redis.call('HSET', revoked, held[2], '1')
  expire_no_sooner(revoked, math.max(1, redis.call('PTTL', lock)))
  tell(lock, 'revoked', held[1], held[2])
end
pass_on(lock, token_key, waiters, alive, held[2], now_micros(), claim_window)
return 1
