-- Takes an owner's entry out of a lock, and the owner out of the queue; passes the lock on when it was the last entry.
-- KEYS: lock, token, waiters, alive; and for an occurrence, the last one of its series
-- ARGV: owner, entry, claim window in ms, whether barging is allowed (0 or 1), for how many ms after its grant
--   the lock is granted to nobody again; and for an occurrence, its time in µs, its run, whether it was run to its end (0 or 1)
-- Returns: released (1), still held by another entry of the owner (2), not the owner's (0).
-- Complexity: O(log W) for W waiters, and O(D log W) when D dead waiters stand before the first live one.
local lock, token_key, waiters, alive = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local owner, entry = ARGV[1], 'e:' .. ARGV[2]
local claim_window, barging, at_least = tonumber(ARGV[3]), ARGV[4] == '1', tonumber(ARGV[5])

local is_waited_for = redis.call('EXISTS', waiters) == 1
if is_waited_for then
  leave_queue(waiters, alive, waiter_of(owner, ARGV[2]))
end
local held = redis.call('HMGET', lock, 'owner', 'token', 'claim', 'since', 'released', entry)
if held[1] ~= owner or held[5] then
  return 0
end

-- Passed to a newer wait of the owner, which has not claimed it yet: that one's, and not for this entry to release.
if held[3] and held[3] ~= ARGV[2] then
  return 2
end

-- Mostly it is the only entry, and nobody waits.
if held[6] and at_least == 0 and not is_waited_for and redis.call('HLEN', lock) == 4 then
  if KEYS[5] then
    end_occurrence(KEYS[5], ARGV[6], ARGV[7], ARGV[8] == '1')
  end
  redis.call('DEL', lock)
  return 1
end

-- What is left beside owner, token and since are entries. A lock that was passed on and not claimed has none.
redis.call('HDEL', lock, entry, 'claim')
if redis.call('HLEN', lock) > 3 then
  return 2
end
if KEYS[5] then
  end_occurrence(KEYS[5], ARGV[6], ARGV[7], ARGV[8] == '1')
end

local micros = now_micros()
local now = to_millis(micros)
local rest = math.min(at_least, math.ceil((tonumber(held[4]) + at_least * 1000 - micros) / 1000))
if rest > 0 then
  -- Nobody holds it, and nobody can have it yet. Waiters know of the lease, which may end sooner or later than this.
  redis.call('HSET', lock, 'released', '1')
  redis.call('PEXPIRE', lock, rest)
  tell_next(lock, waiters, alive, now, nil, rest, claim_window)
elseif barging then
  redis.call('DEL', lock)
  tell_next(lock, waiters, alive, now, nil, 0, claim_window)
else
  pass_on(lock, token_key, waiters, alive, held[2], micros, claim_window)
end
return 1
