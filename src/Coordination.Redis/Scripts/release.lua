-- Takes an owner's entry out of a lock, and the owner out of the queue; passes the lock on when it was the last entry.
-- KEYS: record, waiters, alive; and for an occurrence, the last one of its series. Only the record while a slot of a Cluster moves.
-- ARGV: what the record says of the grant from its state on (H0, lease, owner#entry); whether the lease surely lasts still and nothing else
--   is asked than the release, whether barging is allowed, and whether the reply may hand the lock over (1 for no, 2 for yes), the claim
--   window in 8 digits, and in 8 more for how many ms after its grant the lock is granted to nobody again; and for an occurrence, its time in µs, its run, whether it was run to its end (0 or 1).
--   Last, where there is one, the node that the lock is to pass to, if it waits
-- Returns: released (1), still held by another entry of the owner (2), not the owner's (0), and no lock of ours (-1); or, where a waiter of the same node has the lock now,
--   that waiter, its token, and when it was handed over.
-- Complexity: O(log W) for W waiters, and O(D log W) when D dead waiters stand before the first live one; O(W log W) with a node that it is to pass to.
local record = redis.call('GET', KEYS[1])

-- Mostly it is the only entry, and nobody waits. One comparison says all of it, but for the time, which is the asker's to know.
if record and string.sub(ARGV[2], 1, 1) == '2' and string.sub(record, 33) == ARGV[1] then
  if type(redis.pcall('SETRANGE', KEYS[1], 32, 'F')) ~= 'table' then
    return 1
  end
  -- A server without memory refuses it, as a write that may take more. What follows a write that takes none is let through, below.
end

local time = redis.call('TIME')
local now = string.sub('0000000000' .. time[1], -10) .. string.sub('000000' .. time[2], -6)
--INCLUDE
local self = string.sub(ARGV[1], 11)
local barging, by_reply = string.sub(ARGV[2], 2, 2) == '2', string.sub(ARGV[2], 3, 3) == '2'
local claim_window, at_least = tonumber(string.sub(ARGV[2], 4, 11)), tonumber(string.sub(ARGV[2], 12))
if is_foreign(KEYS[1], record) then
  return -1
end

local queue = { waiters = KEYS[2], alive = KEYS[3] }
local lock = read(record, now)
local is_queued = lock.queue == '1'
local is_held = (lock.state == 'H' or lock.state == 'C') and owner_of(lock.who) == owner_of(self)
if not KEYS[2] and is_queued then
  return queue_moves()
end
if KEYS[2] then
  -- Also where nobody is queued: it is the write that takes no memory.
  leave_queue(queue, self)
end
if not is_held then
  return 0
end

-- Handed over to a newer wait of the owner, which has not claimed it yet: that one's, and not for this entry to release.
local left = without_entry(lock.who, entry_of(self))
if left then
  if left ~= lock.who then
    lock.who = left
    write(KEYS[1], lock, now)
  end
  return 2
end
if KEYS[4] then
  end_occurrence(KEYS[4], ARGV[3], ARGV[4], ARGV[5] == '1')
end

local since = math.min(tonumber(lock.since == '' and lock.token or lock.since), tonumber(now))
local rest = math.min(at_least, math.ceil((since + at_least * 1000 - tonumber(now)) / 1000))
if rest > 0 then
  -- Nobody holds it, and nobody can have it yet. Waiters know of the lease, which may end sooner or later than this.
  lock.state, lock.from, lock.lease = 'R', tonumber(now), rest
  write(KEYS[1], lock, now)
  tell_next(KEYS[1], is_queued and live_waiters(queue, now, nil) or {}, nil, rest, claim_window)
elseif barging then
  local live = is_queued and live_waiters(queue, now, nil) or {}
  set_free(KEYS[1], queue, lock, now)
  tell_next(KEYS[1], live, nil, 0, claim_window)
else
  local live = lock.queue == '1' and live_waiters(queue, now, nil) or {}
  local node, successor = node_of(owner_of(self)), ARGV[KEYS[4] and 6 or 3]
  local chosen = successor and live[1] and first_of(queue, now, successor)
  if chosen then
    local others = { chosen }
    for _, waiter in ipairs(live) do
      if waiter ~= chosen then
        others[#others + 1] = waiter
      end
    end
    live = others
  end
  if by_reply and live[1] and node_of(owner_of(live[1])) == node then
    -- No message and no claim: the reply is heard by the waiter's own node.
    local waiter = live[1]
    leave_queue(queue, waiter)
    grant(lock, 'H', waiter, now, claim_window)
    lock.queue = live[2] and '1' or find_flag(queue)
    write(KEYS[1], lock, now)
    tell_next(KEYS[1], live, node, claim_window, claim_window)
    return { waiter, lock.token, now }
  end
  pass_on(KEYS[1], queue, lock, live, now, claim_window)
end
return 1
