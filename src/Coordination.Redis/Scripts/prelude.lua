-- What the scripts that change a lock have in common. It stands where a script says --INCLUDE, after its common path. What it needs of the
-- keys and of the time comes in as parameters, so that the keys of each script are those in KEYS and no others.
--
-- A lock is one string:
--    1–16  the fencing token of the last grant: µs of the server's clock, or more
--   17–32  µs of the server's clock when the lease began or was renewed last
--   33     F free; H held; C handed over, and not claimed yet; R released, and kept from all until the lease ends
--   34     0 when nobody was queued since the queue was seen empty, and nothing stands after the entries; else 1
--   35–42  ms that the lease lasts
--   43–    owner#entry[,entry…]; then, where there is anything to say, two lines more: since when it is held, if that is not its token; and
--          the grants that were revoked, as token:end of their lease in µs[,…]
-- The lease is judged by the server's clock. The key lives for longer, so that the token is known after a crash and after a release.

local function whole(number)
  return string.format('%.0f', number)
end

-- Of µs in 16 digits, as of 2001 to 2286. Exact in a double.
local function to_millis(micros)
  return math.floor(tonumber(micros) / 1000)
end

-- A waiter is queued as owner#entry: an owner that gave up one wait and began another does not leave the queue by the end of the first.
local function owner_of(who)
  return string.match(who, '^(.*)#')
end

local function entry_of(who)
  return string.match(who, '[^#]*$')
end

-- An owner is node/sequence.
local function node_of(owner)
  return string.match(owner, '^(.*)/')
end

-- Whether something else wrote a lock's key: a text that is no record of this version, or a key of another type, which to Garnet has no value.
local function is_foreign(key, record)
  if record then
    return not string.find(record, '^' .. string.rep('%d', 32) .. '[FHCR][01]' .. string.rep('%d', 8))
  end
  return redis.call('EXISTS', key) == 1
end

-- Without the queue's keys, a script can do no more. As the server itself says it of keys of which some have moved.
local function queue_moves()
  return redis.error_reply('TRYAGAIN The queue of the lock is being moved.')
end

local function remaining(lock, now)
  return math.ceil((lock.from + lock.lease * 1000 - tonumber(now)) / 1000)
end

-- What a record says at a moment: what has run out counts for nothing.
local function read(record, now)
  if not record then
    return { token = '0', from = 0, state = 'F', queue = '1', lease = 0, who = '', since = '', revoked = '' }
  end
  local who, since, revoked = string.match(record, '^([^\n]*)\n?([^\n]*)\n?([^\n]*)', 43)
  local lock = {
    token = string.sub(record, 1, 16),
    from = tonumber(string.sub(record, 17, 32)),
    state = string.sub(record, 33, 33),
    queue = string.sub(record, 34, 34),
    lease = tonumber(string.sub(record, 35, 42)),
    who = who,
    since = since,
    revoked = '',
  }
  local micros = tonumber(now)
  if lock.state ~= 'F' then
    if lock.from > micros then
      lock.from, lock.is_clamped = micros, true
    end
    if lock.from + lock.lease * 1000 <= micros then
      lock.state = 'F'
    end
  end
  for token, ends in string.gmatch(revoked, '(%d+):(%d+)') do
    if tonumber(ends) > micros then
      lock.revoked = lock.revoked .. (lock.revoked == '' and '' or ',') .. token .. ':' .. ends
    end
  end
  return lock
end

-- Two days, and for as long as the token is ahead of the clock (a clock that was wrong), so that none is granted twice.
local function write(key, lock, now)
  local tail = ''
  if lock.since ~= '' or lock.revoked ~= '' then
    tail = '\n' .. lock.since .. (lock.revoked == '' and '' or '\n' .. lock.revoked)
    lock.queue = '1'
  end
  local text = lock.token .. string.format('%016.0f', lock.from) .. lock.state .. lock.queue .. string.format('%08.0f', lock.lease) .. lock.who .. tail
  redis.call('SET', key, text, 'PX', whole(172800000 + math.max(0, to_millis(tonumber(lock.token) - tonumber(now)))))
  return text
end

-- Grants a lock that is free under the next fencing token: greater than every earlier one that is known, and than the time, which carries
-- it over a loss of all data.
local function grant(lock, state, who, now, lease)
  local token = now
  lock.since = ''
  if lock.token >= now then
    token = whole(tonumber(lock.token) + 1)
    lock.since = now
  end
  lock.token, lock.from, lock.state, lock.lease, lock.who = token, tonumber(now), state, lease, who
end

-- Moves the end of the lease further away, and never nearer.
local function extend(lock, now, lease)
  local micros = tonumber(now)
  if micros + lease * 1000 >= lock.from + lock.lease * 1000 then
    lock.from, lock.lease = micros, lease
  end
end

local function with_entry(who, entry)
  for known in string.gmatch(entry_of(who), '[^,]+') do
    if known == entry then
      return who
    end
  end
  return who .. ',' .. entry
end

-- Of owner#entry,entry… what is left without one; nil when that was the last.
local function without_entry(who, entry)
  local left = nil
  for known in string.gmatch(entry_of(who), '[^,]+') do
    if known ~= entry then
      left = left and left .. ',' .. known or owner_of(who) .. '#' .. known
    end
  end
  return left
end

local function leave_queue(queue, waiter)
  redis.call('ZREM', queue.waiters, waiter)
  redis.call('ZREM', queue.alive, waiter)
end

-- 0 where the queue is seen empty. Without its keys only that is passed on which is known to have none.
local function find_flag(queue)
  if not queue.waiters then
    return '0'
  end
  return redis.call('EXISTS', queue.waiters) == 0 and '0' or '1'
end

-- The first waiters in the order of arrival that are alive: as many as there are on the page of the first one. `owner` is asking, and so needs no
-- proof; the search ends at it. Nearly always the first page has one.
local function live_waiters(queue, now, owner)
  local millis = to_millis(now)
  local start, size, live = 0, 16, {}
  while #live == 0 do
    local page = redis.call('ZRANGE', queue.waiters, start, start + size - 1)
    if #page == 0 then
      return live
    end
    local alive = redis.call('ZMSCORE', queue.alive, (unpack or table.unpack)(page))
    for i, waiter in ipairs(page) do
      if tonumber(alive[i] or 0) > millis then
        live[#live + 1] = waiter
      elseif #live == 0 and owner_of(waiter) == owner then
        return { waiter }
      end
    end
    start = start + size
  end
  return live
end

-- Tells an owner's node what happened to a lock, whose key is prefix:v2:{name}. Names and owners have no line breaks.
local function tell(key, kind, who, rest)
  local prefix, lock_name = string.match(key, '^(.-){(.*)}')
  redis.call('PUBLISH', prefix .. 'node:' .. node_of(owner_of(who)), kind .. '\n' .. lock_name .. '\n' .. who .. '\n' .. rest)
end

-- Tells the next live waiters to ask again: the first of them after some ms, each further one a claim window later, because
-- those before it may be dead and leave the lock lying. One for each node, because waiters of one process die together; three at most,
-- so that passing a lock on costs the same however many wait. Whoever is not told asks when the lease that it knows of ends.
local function tell_next(key, live, except_node, after, claim_window)
  local told, left = {}, 3
  if except_node then
    told[except_node] = true
  end
  for _, waiter in ipairs(live) do
    local node = node_of(owner_of(waiter))
    if not told[node] then
      told[node] = true
      tell(key, 'again', waiter, whole(after))
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
local function hand_over(key, queue, lock, live, now, claim_window)
  local waiter = live[1]
  grant(lock, 'C', waiter, now, claim_window)
  lock.queue = '1'
  local text = write(key, lock, now)
  redis.call('ZADD', queue.alive, whole(to_millis(now)), waiter)
  tell(key, 'granted', waiter, lock.token .. '\n' .. now .. '\n' .. whole(claim_window))
  tell_next(key, live, node_of(owner_of(waiter)), claim_window, claim_window)
  return text
end

local function set_free(key, queue, lock, now)
  lock.state, lock.since, lock.queue = 'F', '', find_flag(queue)
  write(key, lock, now)
end

-- Passes the lock to the first live waiter, or leaves it free when there is none.
local function pass_on(key, queue, lock, live, now, claim_window)
  if live[1] then
    hand_over(key, queue, lock, live, now, claim_window)
  else
    set_free(key, queue, lock, now)
  end
end
