-- Looks at a lock.
-- KEYS: lock
-- Returns: owner; token; since in µs; ms that it lasts; whether it was released (1 or 0). Nothing when it is free; -1 when it
--   is not a lock of ours.
-- Complexity: O(1).
local held = redis.call('HMGET', KEYS[1], 'owner', 'token', 'since', 'released')
if held[1] then
  return { held[1], held[2], held[3], redis.call('PTTL', KEYS[1]), held[4] and 1 or 0 }
end
if redis.call('EXISTS', KEYS[1]) == 1 then
  return { -1 }
end
return {}
