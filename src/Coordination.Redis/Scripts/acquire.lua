-- Tries to acquire a lock, and joins its queue when asked to.
-- KEYS: lock, token, waiters, alive; and for an occurrence, the last one of its series
-- ARGV: owner, entry, lease in ms, whether to wait (0 or 1), claim window in ms, whether barging is allowed (0 or 1); and for an occurrence, its
--   time in µs, its run, whether it may be recovered (0 or 1), ms to remember it
-- Returns: the token, as a string, when it was granted; -1 when the key is not a lock of ours; else, because another holds it,
--   owner; token; since in µs; ms that it lasts; whether it was released (1 or 0); waiters before. For an occurrence there stand before that
--   what becomes of it, and the run that has or had it; and nothing after that when it was run already.
-- Complexity: O(log W) for W waiters, and O(D log W) when the lock is free and D dead waiters stand before the first live one.
local lock, token_key, waiters, alive = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local owner, entry, lease, wait = ARGV[1], 'e:' .. ARGV[2], tonumber(ARGV[3]), ARGV[4] == '1'
local self = waiter_of(owner, ARGV[2])
local claim_window, barging = tonumber(ARGV[5]), ARGV[6] == '1'

local occurrence_key, fate, other_run = KEYS[5], nil, nil
if occurrence_key then
  fate, other_run = judge_occurrence(occurrence_key, ARGV[7], ARGV[8], ARGV[9] == '1')
  if fate == 'already-run' then
    leave_queue(waiters, alive, self)
    return { fate, other_run }
  end
end

-- Replies that the lock is the owner's, and with it the occurrence.
local function granted(token)
  if not occurrence_key then
    return token
  end
  start_occurrence(occurrence_key, ARGV[7], ARGV[8], tonumber(ARGV[10]))
  return { fate, other_run, token }
end

-- Replies that the lock is another's.
local function refused(held, remaining, place)
  local reply = { held[1], held[2], held[3], remaining, held[4] and 1 or 0, place }
  if occurrence_key then
    table.insert(reply, 1, fate)
    table.insert(reply, 2, other_run)
  end
  return reply
end

-- Mostly the lock is free and nobody waits. Each call of a command by a script costs about 2 µs, so these are all.
if redis.call('EXISTS', lock, waiters) == 0 then
  return granted(grant(lock, token_key, owner, entry, '1', nil, now_micros(), lease))
end

local held = redis.call('HMGET', lock, 'owner', 'token', 'since', 'released')

if held[1] == owner and not held[4] then
  -- One more entry, a repeated request, or the claim of a lock that was passed on: the token stays. The lease is never
  -- shortened, except that the claim window gives way to the lease proper.
  redis.call('HSET', lock, entry, '1')
  if redis.call('HDEL', lock, 'claim') == 1 then
    redis.call('PEXPIRE', lock, lease)
  else
    expire_no_sooner(lock, lease)
  end
  leave_queue(waiters, alive, self)
  return granted(held[2])
end

local micros = now_micros()
local now = to_millis(micros)

if not held[1] then
  if redis.call('EXISTS', lock) == 1 then
    return -1
  end
  local waiter = not barging and first_live_waiter(waiters, alive, now, owner)
  if not waiter or owner_of(waiter) == owner then
    local token = grant(lock, token_key, owner, entry, '1', nil, micros, lease)
    if waiter or barging then
      leave_queue(waiters, alive, self)
    end
    return granted(token)
  end
  -- Free, but somebody else's turn: the holder died, and this request is the one that noticed.
  hand_over(lock, token_key, waiters, alive, waiter, nil, micros, claim_window)
  held = redis.call('HMGET', lock, 'owner', 'token', 'since', 'released')
end

local remaining = redis.call('PTTL', lock)
if remaining < 0 then
  -- Somebody took the end of life away by hand. Without one, a dead holder would block the lock for ever.
  redis.call('PEXPIRE', lock, lease)
  remaining = lease
end
if not wait then
  return refused(held, remaining, 0)
end

-- Waiters that have been dead for long are gone for good; a hundred at a time, so that no request pays for all.
local retention = math.max(60000, 2 * remaining)
for _, dead in ipairs(redis.call('ZRANGEBYSCORE', alive, '-inf', whole(now - retention), 'LIMIT', 0, 100)) do
  if dead ~= self then
    leave_queue(waiters, alive, dead)
  end
end

-- Arrival numbers grow also when the clock steps back, so a later waiter never comes to stand before an earlier one.
if not redis.call('ZSCORE', waiters, self) then
  local last = redis.call('ZRANGE', waiters, -1, -1, 'WITHSCORES')
  redis.call('ZADD', waiters, whole(math.max(tonumber(last[2] or 0) + 1, micros)), self)
end
local place = redis.call('ZRANK', waiters, self)

-- A waiter that hears nothing asks again when the holder's lease runs out, later the further back it stands. It counts as
-- alive until then, with the claim window and a second to spare for a slow network or a busy process.
local alive_for = remaining + math.min(place * 20, 2000) + claim_window + 1000
redis.call('ZADD', alive, whole(now + alive_for), self)
expire_no_sooner(waiters, alive_for + retention)
expire_no_sooner(alive, alive_for + retention)
return refused(held, remaining, place)
