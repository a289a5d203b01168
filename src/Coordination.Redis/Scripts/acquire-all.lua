-- Acquires several locks in one step: all of them, or none. Where one is another's nothing is written, and nothing is passed on.
-- KEYS: record, waiters and alive, for each lock
-- ARGV: whether barging is allowed (1 for no, 2 for yes); and for each lock what its record says of a grant to this request from its state on (H0, lease, owner#entry)
-- Returns: the tokens when they were granted; else in a list of its own which lock is another's, the first as 1, and the time and its record in one text, or nothing for one
--   that is free and a waiter's turn. For one that is no exclusive lock of ours -1 in place of the text.
-- Complexity: O(N log W) for N locks and W waiters, and O(D log W) for one that is free, of which D dead waiters stand before the first live one.
local time = redis.call('TIME')
local now = string.sub('0000000000' .. time[1], -10) .. string.sub('000000' .. time[2], -6)
--INCLUDE
local barging = ARGV[1] == '2'
local locks = {}
for i = 1, #KEYS / 3 do
  local key, self = KEYS[3 * i - 2], string.sub(ARGV[i + 1], 11)
  -- By pcall: a key of another type is a lock that several may hold at a time, or nothing of ours.
  local record = redis.pcall('GET', key)
  if type(record) == 'table' or is_foreign(key, record) then
    return { { i, -1 } }
  end
  local queue, owner = { waiters = KEYS[3 * i - 1], alive = KEYS[3 * i] }, owner_of(self)
  local lock = read(record, now)
  lock.key, lock.entries, lock.places, lock.time = key, self, queue, tonumber(string.sub(ARGV[i + 1], 3, 10))
  lock.is_own = (lock.state == 'H' or lock.state == 'C') and owner_of(lock.who) == owner
  if not lock.is_own then
    if lock.state ~= 'F' then
      return { { i, now .. record } }
    end
    local live = barging and {} or live_waiters(queue, now, owner)
    if live[1] and owner_of(live[1]) ~= owner then
      return { { i } }
    end
  end
  locks[i] = lock
end

local tokens = {}
for i, lock in ipairs(locks) do
  if not lock.is_own then
    grant(lock, 'H', lock.entries, now, lock.time)
  else
    -- As acquire.lua does it: one more entry, a repeated request, or a claim.
    lock.who = with_entry(lock.who, entry_of(lock.entries))
    if lock.state == 'C' then
      lock.state, lock.from, lock.lease = 'H', tonumber(now), lock.time
    else
      extend(lock, now, lock.time)
    end
  end
  -- Before anything that a server without memory lets through, so that it refuses all of it or nothing.
  lock.queue = find_flag(lock.places)
  write(lock.key, lock, now)
  tokens[i] = lock.token
end
for _, lock in ipairs(locks) do
  if lock.queue == '1' then
    leave_queue(lock.places, lock.entries)
  end
end
return tokens
