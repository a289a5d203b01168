-- Tries to acquire a lock, and joins its queue when asked to.
-- KEYS: record, waiters, alive; and for an occurrence, the last one of its series. Only the record while a slot of a Cluster moves.
-- ARGV: what the record says of a grant to this request from its state on (H0, lease, owner#entry); whether to wait and whether barging is
--   allowed (1 for no, 2 for yes), and the claim window in 8 digits; and for an occurrence, its time in µs, its run, whether it may be recovered (0 or 1), ms
--   to remember it
-- Returns: the token when it was granted; else, because another holds it, the time and the record in one text, and to one who waits that and
--   the waiters before it. For an occurrence there stand before that what becomes of it, and the run that has or had it; and nothing after
--   that when it was run already. -1 when the key is not a lock of ours.
-- Complexity: O(log W) for W waiters, and O(D log W) when the lock is free and D dead waiters stand before the first live one.
local record = redis.call('GET', KEYS[1])
local time = redis.call('TIME')
local now = string.sub('0000000000' .. time[1], -10) .. string.sub('000000' .. time[2], -6)
local self = string.sub(ARGV[1], 11)

-- Mostly the lock is free, nobody waits, and its last token is not ahead of the clock. What else a script has cost more than this: a
-- helper is made anew at each run.
if not KEYS[4] then
  local is_free
  if record then
    local _, last = string.find(record, '^%d+F0%d%d%d%d%d%d%d%d')
    is_free = last == 42 and string.sub(record, 1, 16) < now
  elseif KEYS[2] then
    -- Used for the first time, or lost: who waits may be known all the same. Garnet says of a key of another type that it has no value.
    is_free = redis.call('EXISTS', KEYS[1], KEYS[2]) == 0
  end
  if is_free then
    redis.call('SET', KEYS[1], now .. now .. ARGV[1], 'PX', '172800000')
    return now
  end
  -- Held by another, and wanted at once or not at all.
  if record and string.sub(ARGV[2], 1, 1) == '1' and string.sub(record, 33, 33) ~= 'F' then
    local from, lease = tonumber(string.sub(record, 17, 32)), tonumber(string.sub(record, 35, 42))
    local owner = string.match(self, '^.*#')
    if from and lease and from <= tonumber(now) and from + lease * 1000 > tonumber(now) and string.sub(record, 43, 42 + #owner) ~= owner then
      return now .. record
    end
  end
end
--INCLUDE
local owner, wait, barging, claim_window = owner_of(self), string.sub(ARGV[2], 1, 1) == '2', string.sub(ARGV[2], 2, 2) == '2', tonumber(string.sub(ARGV[2], 3))
if is_foreign(KEYS[1], record) then
  return -1
end

local queue = { waiters = KEYS[2], alive = KEYS[3] }
local lock = read(record, now)
local is_held = lock.state == 'H' or lock.state == 'C'
local is_own = is_held and owner_of(lock.who) == owner
if not KEYS[2] and (is_own or lock.state == 'F' or wait) then
  return queue_moves()
end

local fate, other_run
if KEYS[4] then
  fate, other_run = judge_occurrence(KEYS[4], ARGV[3], ARGV[4], ARGV[5] == '1')
  if fate == 'already-run' then
    leave_queue(queue, self)
    return { fate, other_run }
  end
end

-- Replies that the lock is the owner's, and with it the occurrence.
local function granted()
  leave_queue(queue, self)
  lock.queue = find_flag(queue)
  write(KEYS[1], lock, now)
  if not fate then
    return lock.token
  end
  start_occurrence(KEYS[4], ARGV[3], ARGV[4], tonumber(ARGV[6]))
  return { fate, other_run, lock.token }
end

-- Replies that the lock is another's.
local function refused(text, place)
  text = now .. text
  if fate then
    return { fate, other_run, text, place }
  end
  return place and { text, place } or text
end

local lease = tonumber(string.sub(ARGV[1], 3, 10))
if is_own then
  -- One more entry, a repeated request, or the claim of a lock that was handed over: the token stays, and so does the entry that it was handed
  -- over to, which may hold it already. The lease is never shortened, except that the claim window gives way to the lease proper.
  lock.who = with_entry(lock.who, entry_of(self))
  if lock.state == 'C' then
    lock.state, lock.from, lock.lease = 'H', tonumber(now), lease
  else
    extend(lock, now, lease)
  end
  return granted()
end

if lock.state == 'F' then
  local live = barging and {} or live_waiters(queue, now, owner)
  if not live[1] or owner_of(live[1]) == owner then
    grant(lock, 'H', self, now, lease)
    return granted()
  end
  -- Free, but somebody else's turn: the holder died, and this request is the one that noticed.
  record = hand_over(KEYS[1], queue, lock, live, now, claim_window)
elseif lock.is_clamped then
  -- The clock was set back. A holder that died then would keep the lock for the step and its lease, with nobody to end it.
  record = write(KEYS[1], lock, now)
end

if not wait then
  return refused(record, fate and 0)
end

local place = redis.call('ZRANK', queue.waiters, self)
local millis = to_millis(now)
if not place then
  -- Waiters that have been dead for long are gone for good; a hundred at a time, so that no request pays for all.
  for _, dead in ipairs(redis.call('ZRANGEBYSCORE', queue.alive, '-inf', '(' .. whole(millis - 60000), 'LIMIT', 0, 100)) do
    leave_queue(queue, dead)
  end
  -- Arrival numbers grow also when the clock steps back, so a later waiter never comes to stand before an earlier one.
  local last = redis.call('ZRANGE', queue.waiters, -1, -1, 'WITHSCORES')
  redis.call('ZADD', queue.waiters, whole(math.max(tonumber(last[2] or 0) + 1, tonumber(now))), self)
  place = redis.call('ZRANK', queue.waiters, self)
end

-- A waiter that hears nothing asks again when the holder's lease runs out. It counts as alive until then, with the claim window and a
-- second to spare for a slow network or a busy process.
redis.call('ZADD', queue.alive, whole(millis + remaining(lock, now) + claim_window + 1000), self)
redis.call('PEXPIRE', queue.waiters, '172800000')
redis.call('PEXPIRE', queue.alive, '172800000')
if lock.queue ~= '1' then
  lock.queue = '1'
  record = string.sub(record, 1, 33) .. '1' .. string.sub(record, 35)
  redis.call('SETRANGE', KEYS[1], 33, '1')
end
return refused(record, place)
