-- Takes an owner's entry out of a lock that several may hold at a time, and the owner out of the queue; passes the lock on to as many as fit.
-- KEYS: lock, waiters, alive; and for an occurrence, the last one of its series. Only the lock while a slot of a Cluster moves.
-- ARGV: as for an acquisition, with no lease where it may have run out; whether the reply may hand the lock over (1 for no, 2 for yes), the claim window in 8 digits, and in 8 more for how many ms after its
--   grant it is kept; of an upgrade, the owner of its read, else nothing; and for an occurrence, its time in µs, its run, whether it was run to its end (0 or 1).
--   Last, where there is one, the node that the lock is to pass to, if it waits and fits
-- Returns: released (1), still held by another entry of the owner (2), not the owner's (0), and no lock of ours (-1); or, where a waiter of the same node has
--   the lock now, that waiter, its token, when it was handed over, and the number of the permit.
-- Complexity: O(1) when nobody waits; else O(N + log W) for N holders and W waiters.
local asked = ARGV[1]
local share, self = string.sub(asked, 1, 1), string.sub(asked, 15)
local owner, entry = string.match(self, '^(.*)#([^#]*)$')

if not KEYS[4] and release_short_way(KEYS[1], asked, ARGV[2]) then
  return 1
end
--INCLUDE
local by_reply, claim_window, at_least = string.sub(ARGV[2], 1, 1) == '2', tonumber(string.sub(ARGV[2], 2, 9)), tonumber(string.sub(ARGV[2], 10))
local time = redis.call('TIME')
local now = string.sub('0000000000' .. time[1], -10) .. string.sub('000000' .. time[2], -6)
if not KEYS[2] then
  return queue_moves()
end
local queue = { waiters = KEYS[2], alive = KEYS[3] }
-- Also where nobody is queued: it is the write that takes no memory.
redis.call('ZREM', queue.waiters, '')
local lock, failure = read_shares(KEYS[1], queue, now)
if not lock then
  return failure or -1
end
if lock.kind == 'e' or lock.is_other then
  return 0
end
leave_shares_queue(lock, queue, self)
if not lock.kind then
  return 0
end

local grant = lock.grants[owner]
if not grant or grant.state == 'R' or grant.share ~= share or grant.reader ~= ARGV[3] or lock.permits ~= tonumber(string.sub(asked, 2, 6)) then
  -- Those behind it may fit beside those who hold the lock.
  pass_shares_on(KEYS[1], queue, lock, now, claim_window)
  write_shares(KEYS[1], queue, lock, now)
  return 0
end

-- Handed over to a newer wait of the owner, which has not claimed it yet: that one's, and not for this entry to release.
local left = without_entry(owner .. '#' .. grant.entries, entry)
if left then
  grant.entries, lock.changed[owner] = entry_of(left), true
  write_shares(KEYS[1], queue, lock, now)
  return 2
end
if KEYS[4] then
  end_occurrence(KEYS[4], ARGV[4], ARGV[5], ARGV[6] == '1')
end

local since = math.min(tonumber(grant.since == '' and grant.token or grant.since), tonumber(now))
local rest = math.min(at_least, math.ceil((since + at_least * 1000 - tonumber(now)) / 1000))
if rest > 0 then
  -- Nobody holds it, and nobody can have it yet.
  grant.state, grant.entries, grant.from, grant.lease, lock.changed[owner] = 'R', '', tonumber(now), rest, true
  -- An upgrade that waited for this reader has nothing to wait for any more, and those behind it may fit.
  pass_shares_on(KEYS[1], queue, lock, now, claim_window)
  write_shares(KEYS[1], queue, lock, now)
  tell_rest(KEYS[1], live_waiters(queue, now, nil), {}, rest, claim_window)
  return 1
end

remove_grant(lock, owner)
local reply, given = 1, nil
local function if_fits(waiter)
  if waiter then
    local wanted, reader = wish_of(lock, waiter)
    return wanted and not lock.grants[owner_of(waiter)] and fits(lock, wanted, reader) and waiter
  end
end
local successor = ARGV[KEYS[4] and 7 or 4]
local chosen = successor and if_fits(first_of(queue, now, successor))
local next_waiter = chosen or (by_reply and if_fits(live_waiters(queue, now, nil)[1]))
if next_waiter and by_reply and node_of(owner_of(next_waiter)) == node_of(owner) then
  -- No message and no claim: the reply is heard by the waiter's own node. Others may fit beside.
  local wanted, reader = wish_of(lock, next_waiter)
  leave_shares_queue(lock, queue, next_waiter)
  local own = add_grant(lock, 'H', wanted, reader, next_waiter, now, claim_window)
  reply, given = { next_waiter, own.token, now, own.permit }, { [node_of(owner)] = true }
elseif chosen then
  hand_share_over(KEYS[1], queue, lock, chosen, now, claim_window)
  given = { [node_of(owner_of(chosen))] = true }
end
pass_shares_on(KEYS[1], queue, lock, now, claim_window, nil, nil, given)
write_shares(KEYS[1], queue, lock, now)
return reply
