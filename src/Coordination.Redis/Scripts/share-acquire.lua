-- Tries to acquire a lock that several may hold at a time, and joins its queue when asked to.
-- KEYS: lock, waiters, alive; and for an occurrence, those of its series. Only the lock while a slot of a Cluster moves.
-- ARGV: what is wanted (p, r, u, w, x), how many permits (5 digits), lease in ms (8 digits) and owner#entry in one text; whether to wait (1 for no, 2 for
--   yes), and the claim window in 8 digits; of an upgrade, the owner of its read, else nothing; and for an occurrence, its time in µs, its run, whether it may be
--   recovered (0 or 1), ms to remember it
-- Returns: the token and the number of the permit (5 digits) in one text when it was granted; else a list that begins with what became of it. held: what becomes
--   of the occurrence, the run that has or had it, the time, an owner that has the lock, its grant, the last token and the waiters before. For an occurrence, granted:
--   what becomes of it, the run that had it, the token and the permit; or run: the run that has or had it. used: as what the lock is used meanwhile (p, w, e), and how many
--   permits it has. reader: there is no upgradeable read. -1 when the key is not a lock of ours.
-- Complexity: O(1) when there is room and nobody waits; else O(N + log W) for N holders and W waiters.
local asked = ARGV[1]
local share, self = string.sub(asked, 1, 1), string.sub(asked, 15)
local owner, entry = string.match(self, '^(.*)#([^#]*)$')
local time = redis.call('TIME')
local now = string.sub('0000000000' .. time[1], -10) .. string.sub('000000' .. time[2], -6)

if not KEYS[4] then
  local granted = acquire_short_way(KEYS[1], asked, now)
  if granted then
    return granted
  end
end
local kind = kind_of(share)
--INCLUDE
local wait, claim_window, reader = string.sub(ARGV[2], 1, 1) == '2', tonumber(string.sub(ARGV[2], 2)), ARGV[3]
local lease, permits = tonumber(string.sub(asked, 7, 14)), tonumber(string.sub(asked, 2, 6))
if not KEYS[2] then
  return queue_moves()
end

local queue = { waiters = KEYS[2], alive = KEYS[3] }
local lock, failure = read_shares(KEYS[1], queue, now)
if not lock then
  return failure or -1
end
if lock.kind ~= 'e' and not lock.grants[owner] then
  -- What takes memory comes first: a server without any lets the other writes of a script through when they follow one that takes none. It adds nothing.
  redis.call('ZADD', queue.waiters, 'XX', '0', '')
end
if lock.kind and (lock.kind ~= kind or lock.permits ~= permits) then
  if lock.kind == 'e' or next(lock.grants) or live_waiters(queue, now, nil)[1] then
    return { 'used', lock.kind, lock.permits }
  end
  -- Those that wait are dead, and would wait for what there is no more.
  for waiter in pairs(lock.wants) do
    lock.gone[#lock.gone + 1] = '?' .. waiter
  end
  for _, field in ipairs(lock.revoked) do
    lock.gone[#lock.gone + 1] = field
  end
  lock.wants = {}
  redis.call('DEL', queue.waiters, queue.alive)
end
if lock.is_other then
  redis.call('DEL', KEYS[1], queue.waiters, queue.alive)
end
lock.kind, lock.permits = kind, permits

-- Leaves the queue, where those behind may fit now.
local function leave()
  leave_shares_queue(lock, queue, self)
  pass_shares_on(KEYS[1], queue, lock, now, claim_window)
  write_shares(KEYS[1], queue, lock, now)
end

local fate, other_run = '', ''
if KEYS[4] then
  fate, other_run = judge_occurrence(KEYS[4], ARGV[4], ARGV[5], ARGV[6] == '1')
  if fate == 'already-run' then
    leave()
    return { 'run', other_run }
  end
end

local function granted(grant)
  leave_shares_queue(lock, queue, self)
  lock.changed[owner] = true
  if not KEYS[4] then
    write_shares(KEYS[1], queue, lock, now)
    return grant.token .. string.format('%05.0f', grant.permit)
  end
  grant.occurrence = KEYS[4] .. '\n' .. ARGV[5]
  write_shares(KEYS[1], queue, lock, now)
  start_occurrence(KEYS[4], ARGV[4], ARGV[5], tonumber(ARGV[7]))
  return { 'granted', fate, other_run, grant.token, grant.permit }
end

local function refused(other)
  local place = 0
  if wait then
    place = redis.call('ZRANK', queue.waiters, self)
    local millis = to_millis(now)
    if not place then
      drop_long_dead(lock, queue, millis)
      -- Arrival numbers grow also when the clock steps back. Those of upgrades, which go before all others, are of ms and so lower.
      local arrival
      if share == 'x' then
        local upgrades = redis.call('ZRANGEBYSCORE', queue.waiters, '-inf', '100000000000000', 'WITHSCORES')
        arrival = math.max(tonumber(upgrades[#upgrades] or 0) + 1, millis)
      else
        local last = redis.call('ZRANGE', queue.waiters, -1, -1, 'WITHSCORES')
        arrival = math.max(tonumber(last[2] or 0) + 1, tonumber(now))
      end
      redis.call('ZADD', queue.waiters, whole(arrival), self)
      place = redis.call('ZRANK', queue.waiters, self)
    end
    -- Where readers have the lock, one that waits to write keeps out others who would fit: it asks again within a claim window, so that one that died does not for long.
    local sleeps = math.ceil((ends_at(lock.grants[other]) - tonumber(now)) / 1000)
    if lock.grants[other].share == 'r' or lock.grants[other].share == 'u' then
      sleeps = math.min(sleeps, claim_window)
    end
    redis.call('ZADD', queue.alive, whole(millis + sleeps + claim_window + 1000), self)
    redis.call('PEXPIRE', queue.waiters, '172800000')
    redis.call('PEXPIRE', queue.alive, '172800000')
    if share ~= 'p' and lock.wants[self] ~= share .. reader then
      redis.call('HSET', KEYS[1], '?' .. self, share .. reader)
    end
  end
  write_shares(KEYS[1], queue, lock, now)
  return { 'held', fate, other_run, now, other, grant_text(lock.grants[other]), lock.token, place }
end

if fate == 'recovering' then
  local running
  for other, grant in pairs(lock.grants) do
    if other ~= owner and grant.state ~= 'R' and grant.occurrence == KEYS[4] .. '\n' .. other_run and not (running and lock.grants[running].token < grant.token) then
      running = other
    end
  end
  if running then
    -- Others may hold the lock beside, but not for what is being run.
    return refused(running)
  end
end

local own = lock.grants[owner]
if own and own.state ~= 'R' then
  if own.share ~= share or own.reader ~= reader then
    return refused(owner)
  end
  -- One more entry, a repeated request, or the claim of a lock that was handed over. The lease is never shortened, except that the claim window gives way to
  -- the lease proper.
  if not string.find(',' .. own.entries .. ',', ',' .. entry .. ',', 1, true) then
    own.entries = own.entries .. ',' .. entry
  end
  if own.state == 'C' then
    own.state, own.from, own.lease = 'H', tonumber(now), lease
  else
    extend(own, now, lease)
  end
  return granted(own)
end
if not has_reader(lock, share, reader) then
  leave()
  return { 'reader' }
end

-- What lapsed is the turn of those that came before.
local is_turn = pass_shares_on(KEYS[1], queue, lock, now, claim_window, owner, share)
if is_turn and not own and fits(lock, share, reader) then
  local own_grant = add_grant(lock, 'H', share, reader, self, now, lease)
  -- Those behind it may fit beside it.
  leave_shares_queue(lock, queue, self)
  pass_shares_on(KEYS[1], queue, lock, now, claim_window)
  return granted(own_grant)
end
return refused(ends_first(lock))
