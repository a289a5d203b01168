-- Stands before every script that changes a lock. What it needs of the keys and of the time comes in as parameters,
-- so that the keys of each script are those in KEYS and no others.

-- Microseconds since 1970 on the server's clock. About 1.8e15: exact in a double, but Lua 5.1 prints it with an exponent,
-- so every such number is written with '%.0f'.
local function now_micros()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

local function to_millis(micros)
  return math.floor(micros / 1000)
end

local function whole(number)
  return string.format('%.0f', number)
end

-- Moves a key's end of life further away, and never nearer. A key with no end of life (-1) gets one.
local function expire_no_sooner(key, milliseconds)
  if redis.call('PTTL', key) < milliseconds then
    redis.call('PEXPIRE', key, milliseconds)
  end
end

-- Makes a lock that does not exist for an owner, with one field more, under the next fencing token. The token is greater than every earlier one that is
-- still known, and than the time, which carries it over a loss of all data. It is remembered for as long as it is ahead of the time (a clock
-- that was wrong), and for a day after that or twice as long as the lease, so that names that are never used again leave nothing behind.
local function grant(lock, token_key, owner, field, value, previous_token, micros, milliseconds)
  local number = math.max(tonumber(previous_token or 0) + 1, micros)
  local remembered_for = math.max(86400000, 2 * milliseconds) + to_millis(number - micros)
  local token = whole(number)
  local last = redis.call('SET', token_key, token, 'PX', remembered_for, 'GET')
  if last and tonumber(last) >= number then
    token = whole(tonumber(last) + 1)
    redis.call('SET', token_key, token, 'PX', remembered_for + to_millis(tonumber(last) + 1 - number))
  end
  redis.call('HSET', lock, 'owner', owner, 'token', token, 'since', whole(micros), field, value)
  redis.call('PEXPIRE', lock, milliseconds)
  return token
end

-- A waiter is queued as owner#entry: an owner that gave up one wait and began another does not leave the queue by the end of the first.
local function waiter_of(owner, entry)
  return owner .. '#' .. entry
end

local function owner_of(waiter)
  return string.match(waiter, '^(.*)#')
end

-- An owner is node/sequence.
local function node_of(owner)
  return string.match(owner, '^(.*)/')
end

local function is_alive(alive, waiter, now)
  return tonumber(redis.call('ZSCORE', alive, waiter) or 0) > now
end

-- The first waiter in the order of arrival that is alive. The search ends at `owner`, who is asking and so needs no proof.
-- Read in pages: nearly always the first page has one.
local function first_live_waiter(waiters, alive, now, owner)
  local start, size = 0, 16
  while true do
    local page = redis.call('ZRANGE', waiters, start, start + size - 1)
    for _, waiter in ipairs(page) do
      if owner_of(waiter) == owner or is_alive(alive, waiter, now) then
        return waiter
      end
    end
    if #page < size then
      return nil
    end
    start = start + size
  end
end

-- Tells an owner's node what happened to a lock, whose key is prefix:v1:{name}:lock. Names and owners have no line breaks.
local function tell(lock, kind, owner, number)
  local prefix, lock_name = string.match(lock, '^(.-){(.*)}')
  redis.call('PUBLISH', prefix .. 'node:' .. node_of(owner), kind .. '\n' .. lock_name .. '\n' .. owner .. '\n' .. number)
end

-- Tells the next live waiters to ask again: the first of them after some ms, each further one a claim window later, because
-- those before it may be dead and leave the lock lying. One for each node, because waiters of one process die together; three at most,
-- so that passing a lock on costs the same however many wait. Whoever is not told asks when the lease that it knows of ends.
local function tell_next(lock, waiters, alive, now, except_node, after, claim_window)
  local told, left = {}, 3
  if except_node then
    told[except_node] = true
  end
  for _, waiter in ipairs(redis.call('ZRANGE', waiters, 0, 15)) do
    local owner = owner_of(waiter)
    local node = node_of(owner)
    if not told[node] and is_alive(alive, waiter, now) then
      told[node] = true
      tell(lock, 'again', owner, whole(after))
      after = after + claim_window
      left = left - 1
      if left == 0 then
        return
      end
    end
  end
end

-- Passes the lock straight to a waiter, for the claim window, and tells that waiter's node. A waiter that
-- does not claim it counts as dead from now on; it keeps its place and is alive again when it asks again.
local function hand_over(lock, token_key, waiters, alive, waiter, previous_token, micros, claim_window)
  local owner, now = owner_of(waiter), to_millis(micros)
  redis.call('DEL', lock)
  local token = grant(lock, token_key, owner, 'claim', string.match(waiter, '[^#]*$'), previous_token, micros, claim_window)
  redis.call('ZADD', alive, whole(now), waiter)
  tell(lock, 'granted', owner, token)
  tell_next(lock, waiters, alive, now, node_of(owner), claim_window, claim_window)
end

-- Passes the lock to the first live waiter, or leaves it free when there is none.
local function pass_on(lock, token_key, waiters, alive, previous_token, micros, claim_window)
  local waiter = first_live_waiter(waiters, alive, to_millis(micros), nil)
  if waiter then
    hand_over(lock, token_key, waiters, alive, waiter, previous_token, micros, claim_window)
  else
    redis.call('DEL', lock)
  end
end

-- The last occurrence of a series: a hash of its time in µs, who runs it, and whether that is done. An occurrence is run once, and none before the last.
-- Returns what becomes of an occurrence if the lock is granted: started, recovering (in place of a run that is not done) or already run;
-- and the run that has or had it, where it is another.
local function judge_occurrence(occurrence_key, time, run, recover)
  local last = redis.call('HMGET', occurrence_key, 'time', 'run', 'done')
  local known = tonumber(last[1] or '-1')
  if known < tonumber(time) then
    return 'started', ''
  end
  if known == tonumber(time) then
    if not last[2] or last[2] == run then
      return 'started', ''
    end
    if not last[3] and recover then
      return 'recovering', last[2]
    end
  end
  return 'already-run', last[2] or ''
end

local function start_occurrence(occurrence_key, time, run, remember_for)
  redis.call('HSET', occurrence_key, 'time', time, 'run', run)
  redis.call('HDEL', occurrence_key, 'done')
  expire_no_sooner(occurrence_key, remember_for)
end

local function end_occurrence(occurrence_key, time, run, is_finished)
  local last = redis.call('HMGET', occurrence_key, 'time', 'run')
  if last[1] == time and last[2] == run then
    if is_finished then
      redis.call('HSET', occurrence_key, 'done', '1')
    else
      redis.call('HDEL', occurrence_key, 'run')
    end
  end
end

local function leave_queue(waiters, alive, waiter)
  redis.call('ZREM', waiters, waiter)
  redis.call('ZREM', alive, waiter)
end
