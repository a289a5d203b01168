
-- A lock that several may hold at a time is one hash, where an exclusive lock is a string, so that neither kind finds the other one's unnoticed.
-- Its queue has the keys of an exclusive lock's.
--   @            the lock: p for a semaphore or w for readers and writers; how many permits (5 digits); the fencing token of the last grant (16);
--                0 when nobody was queued since the queue was seen empty, else 1; how many grants there are (8), how many of them are upgradeable
--                reads (1) and to write (1); µs of the server's clock when the life of the key was set (16); the first number that no permit has
--                had (5), and the lower numbers that no permit has, in order (5 digits each)
--   owner        a grant: H held; C handed over, and not claimed yet; R released, and kept until the lease ends; p a permit, r to read, u to read and
--                perhaps go on to write, w to write, x such an upgrade; its token (16); µs when the lease began or was renewed last (16); ms that the
--                lease lasts (8); the number of the permit (5); the entries. Then a line each: since when it is held, if that is not its token; of
--                an upgrade, the owner of its read; and the key of the occurrence that it was granted for last, with its run on the line below
--   ?owner#entry what a waiter wants, where it is no permit: r, u, w, or x and the owner of its read
--   -token       no owner, which has a slash: until when a grant that was revoked would have lasted, in µs

local function read_grant(text)
  local entries, since, reader, occurrence = string.match(text, '^([^\n]*)\n([^\n]*)\n([^\n]*)\n(.*)$', 48)
  return {
    state = string.sub(text, 1, 1),
    share = string.sub(text, 2, 2),
    token = string.sub(text, 3, 18),
    from = tonumber(string.sub(text, 19, 34)),
    lease = tonumber(string.sub(text, 35, 42)),
    permit = tonumber(string.sub(text, 43, 47)),
    entries = entries or '',
    since = since or '',
    reader = reader or '',
    occurrence = occurrence or '',
  }
end

local function grant_text(grant)
  return grant.state .. grant.share .. grant.token .. string.format('%016.0f%08.0f%05.0f', grant.from, grant.lease, grant.permit)
    .. grant.entries .. '\n' .. grant.since .. '\n' .. grant.reader .. '\n' .. grant.occurrence
end

local function ends_at(grant)
  return grant.from + grant.lease * 1000
end

-- What is stored of a lock at a moment: what has run out counts for nothing, and is taken away when it is stored again. Nil where something else wrote
-- the key. An exclusive lock that is in use is returned as such; one that nobody uses gives way.
local function read_shares(key, queue, now)
  local micros = tonumber(now)
  local lock = { token = '0000000000000000', life = 0, grants = {}, count = 0, upgradeable = 0, writers = 0, taken = {}, wants = {}, revoked = {}, changed = {}, gone = {} }
  local stored = redis.pcall('HGETALL', key)
  if stored.err then
    if not string.find(stored.err, 'WRONGTYPE', 1, true) then
      return nil, stored
    end
    stored = {}
  end
  if #stored == 0 then
    -- Garnet says of a key of another type that it has no value.
    local record = redis.pcall('GET', key)
    if type(record) == 'table' or is_foreign(key, record) then
      return nil
    end
    if record then
      local exclusive = read(record, now)
      if exclusive.state ~= 'F' or (queue.waiters and live_waiters(queue, now, nil)[1]) then
        return { kind = 'e', permits = 1 }
      end
      lock.token, lock.is_other = exclusive.token, true
    end
    return lock
  end
  local lock_form = '^[pw]' .. string.rep('%d', 21) .. '[01]' .. string.rep('%d', 31)
  local grant_form = '^[HCR][pruwx]' .. string.rep('%d', 45)
  for i = 1, #stored, 2 do
    local field, text = stored[i], stored[i + 1]
    local first = string.sub(field, 1, 1)
    if first == '@' then
      if not string.find(text, lock_form) then
        return nil
      end
      lock.kind, lock.permits, lock.token, lock.life = string.sub(text, 1, 1), tonumber(string.sub(text, 2, 6)), string.sub(text, 7, 22), tonumber(string.sub(text, 34, 49))
    elseif first == '?' then
      lock.wants[string.sub(field, 2)] = text
    elseif first == '-' and not string.find(field, '/', 1, true) then
      if tonumber(text) == nil then
        return nil
      elseif tonumber(text) <= micros then
        lock.gone[#lock.gone + 1] = field
      else
        lock.revoked[#lock.revoked + 1] = field
      end
    else
      if not string.find(text, grant_form) then
        return nil
      end
      local grant = read_grant(text)
      if grant.from > micros then
        -- The clock was set back. A holder that died then would keep the lock for the step and its lease.
        grant.from = micros
        lock.changed[field] = true
      end
      if ends_at(grant) <= micros then
        lock.gone[#lock.gone + 1] = field
      else
        lock.grants[field] = grant
      end
    end
  end
  if not lock.kind then
    return nil
  end
  for _, grant in pairs(lock.grants) do
    lock.count = lock.count + 1
    lock.upgradeable = lock.upgradeable + (grant.share == 'u' and 1 or 0)
    lock.writers = lock.writers + ((grant.share == 'w' or grant.share == 'x') and 1 or 0)
    if grant.share == 'p' then
      lock.taken[grant.permit] = true
    end
  end
  return lock
end

-- Of a list of any length.
local function delete_fields(key, fields)
  for i = 1, #fields, 500 do
    redis.call('HDEL', key, (unpack or table.unpack)(fields, i, math.min(i + 499, #fields)))
  end
end

-- Stores what has changed. Two days of life, and more for as long as the token is ahead of the clock, are given anew now and then.
local function write_shares(key, queue, lock, now)
  delete_fields(key, lock.gone)
  local high, free = 0, {}
  for permit in pairs(lock.taken) do
    high = math.max(high, permit + 1)
  end
  for permit = 0, high - 1 do
    if not lock.taken[permit] then
      free[#free + 1] = string.format('%05.0f', permit)
    end
  end
  local micros = tonumber(now)
  local is_old = micros - lock.life > 10000000000 or micros < lock.life or lock.token > now
  if is_old then
    lock.life = micros
  end
  local fields = {
    '@',
    lock.kind .. string.format('%05.0f', lock.permits) .. lock.token .. find_flag(queue)
      .. string.format('%08.0f%01.0f%01.0f%016.0f%05.0f', lock.count, lock.upgradeable, lock.writers, lock.life, high) .. table.concat(free),
  }
  for owner in pairs(lock.changed) do
    if lock.grants[owner] then
      fields[#fields + 1] = owner
      fields[#fields + 1] = grant_text(lock.grants[owner])
    end
  end
  for i = 1, #fields, 500 do
    redis.call('HSET', key, (unpack or table.unpack)(fields, i, math.min(i + 499, #fields)))
  end
  if is_old then
    redis.call('PEXPIRE', key, whole(172800000 + math.max(0, to_millis(tonumber(lock.token) - micros))))
  end
end

-- Whether there is an upgradeable read that an upgrade is of; there is for what is no upgrade.
local function has_reader(lock, share, reader)
  local read_by = lock.grants[reader]
  return share ~= 'x' or (read_by ~= nil and read_by.share == 'u' and read_by.state ~= 'R')
end

-- The one rule for all: whether a share fits beside those who have the lock.
local function fits(lock, share, reader)
  if share == 'p' then
    return lock.count < lock.permits
  elseif share == 'r' then
    return lock.writers == 0
  elseif share == 'u' then
    return lock.writers == 0 and lock.upgradeable == 0
  elseif share == 'w' then
    return lock.count == 0
  end
  return lock.count == 1 and has_reader(lock, share, reader)
end

local function add_grant(lock, state, share, reader, who, now, lease)
  local token, since = now, ''
  if lock.token >= now then
    token, since = whole(tonumber(lock.token) + 1), now
  end
  local permit = 0
  while share == 'p' and lock.taken[permit] do
    permit = permit + 1
  end
  local grant = {
    state = state, share = share, token = token, from = tonumber(now), lease = lease, permit = permit,
    entries = entry_of(who), since = since, reader = reader, occurrence = '',
  }
  local owner = owner_of(who)
  lock.token, lock.count = token, lock.count + 1
  lock.upgradeable = lock.upgradeable + (share == 'u' and 1 or 0)
  lock.writers = lock.writers + ((share == 'w' or share == 'x') and 1 or 0)
  if share == 'p' then
    lock.taken[permit] = true
  end
  lock.grants[owner], lock.changed[owner] = grant, true
  return grant
end

local function remove_grant(lock, owner)
  local grant = lock.grants[owner]
  lock.count = lock.count - 1
  lock.upgradeable = lock.upgradeable - (grant.share == 'u' and 1 or 0)
  lock.writers = lock.writers - ((grant.share == 'w' or grant.share == 'x') and 1 or 0)
  if grant.share == 'p' then
    lock.taken[grant.permit] = nil
  end
  lock.grants[owner] = nil
  lock.gone[#lock.gone + 1] = owner
end

local function leave_shares_queue(lock, queue, who)
  leave_queue(queue, who)
  if lock.wants[who] then
    lock.wants[who] = nil
    lock.gone[#lock.gone + 1] = '?' .. who
  end
end

-- Waiters that have been dead for long are gone for good, but for who is asking; a hundred at a time, so that no request pays for all.
local function drop_long_dead(lock, queue, millis, asking)
  for _, dead in ipairs(redis.call('ZRANGEBYSCORE', queue.alive, '-inf', '(' .. whole(millis - 60000), 'LIMIT', 0, 100)) do
    if owner_of(dead) ~= asking then
      leave_shares_queue(lock, queue, dead)
    end
  end
end

-- What a waiter wants, and of an upgrade the owner of its read. Nil where that was lost: then it counts for nothing until it asks again.
local function wish_of(lock, who)
  if lock.kind == 'p' then
    return 'p', ''
  end
  local wish = lock.wants[who]
  if wish then
    return string.sub(wish, 1, 1), string.sub(wish, 2)
  end
end

-- Passes a share straight to a waiter that it fits, for the claim window, and tells that waiter's node.
local function hand_share_over(key, queue, lock, waiter, now, claim_window)
  local share, reader = wish_of(lock, waiter)
  local grant = add_grant(lock, 'C', share, reader, waiter, now, claim_window)
  redis.call('ZADD', queue.alive, whole(to_millis(now)), waiter)
  tell(key, 'granted', waiter, grant.token .. '\n' .. now .. '\n' .. whole(claim_window) .. (share == 'p' and '\n' .. whole(grant.permit) or ''))
end

-- Tells one waiter of each node to ask again, three at most: the first after some ms, each further one a claim window later.
local function tell_rest(key, live, told, after, claim_window)
  local left = 3
  for _, waiter in ipairs(live) do
    local node = node_of(owner_of(waiter))
    if left > 0 and not told[node] then
      told[node] = true
      tell(key, 'again', waiter, whole(after))
      after = after + claim_window
      left = left - 1
    end
  end
end

-- Passes the lock to the first live waiter, and to as many behind it as fit beside, each in its turn; where one does not fit, those behind it wait.
-- `asking` is an owner whose own turn comes another way, and `asks` what it wants: the search ends at it. Returns whether it is its turn, as far as the
-- queue goes, and those that are alive and wait on, as far as they were looked at. `given` has the nodes that were given it before.
local function pass_shares_on(key, queue, lock, now, claim_window, asking, asks, given)
  local millis, start, size = to_millis(now), 0, 16
  local told, rest, is_turn, has_ended = given or {}, {}, true, false
  drop_long_dead(lock, queue, millis, asking)
  local is_given = given ~= nil
  while not has_ended do
    local page = redis.call('ZRANGE', queue.waiters, start, start + size - 1)
    if #page == 0 then
      break
    end
    local alive = redis.call('ZMSCORE', queue.alive, (unpack or table.unpack)(page))
    for i, waiter in ipairs(page) do
      local owner = owner_of(waiter)
      local share, reader = wish_of(lock, waiter)
      if is_turn and asking and (owner == asking or (asks == 'x' and share ~= 'x')) then
        has_ended, asking = true, nil
      end
      if share and tonumber(alive[i] or 0) > millis then
        if has_ended or not is_turn then
          rest[#rest + 1] = waiter
        elseif not has_reader(lock, share, reader) then
          redis.call('ZADD', queue.alive, whole(millis), waiter)
          tell(key, 'again', waiter, '0')
        elseif not lock.grants[owner] and fits(lock, share, reader) then
          hand_share_over(key, queue, lock, waiter, now, claim_window)
          told[node_of(owner)], is_given = true, true
        else
          is_turn = false
          rest[1] = waiter
        end
      end
    end
    has_ended = has_ended or not is_turn
    start = start + size
  end
  if is_given then
    tell_rest(key, rest, told, claim_window, claim_window)
  end
  return is_turn, rest
end

-- The grant that runs out first, for whoever waits asks again then.
local function ends_first(lock)
  local first
  for owner, grant in pairs(lock.grants) do
    local other = first and lock.grants[first]
    if not first or ends_at(grant) < ends_at(other) or (ends_at(grant) == ends_at(other) and grant.token < other.token) then
      first = owner
    end
  end
  return first
end
