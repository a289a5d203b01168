-- Claims a share that was handed over to a wait of the owner, which leaves the queue. Never makes a grant, and never revives one that was released: so
-- it may be on its way beside a release.
-- KEYS: lock, waiters, alive. Only the lock while a slot of a Cluster moves.
-- ARGV: what is held (p, r, u, w, x), how many permits (5 digits), token in 16 digits (all zero for any), lease in ms in 8 and owner#entry in one text
-- Returns: whether the share is the owner's (1), is not (0), or was revoked by an operator (2).
-- Complexity: O(log W) for W waiters.
local asked = ARGV[1]
local self = string.sub(asked, 31)
local owner, token = string.match(self, '^(.*)#'), string.sub(asked, 7, 22)
local known = redis.pcall('HMGET', KEYS[1], owner, '-' .. token, '@')
if known.err then
  -- A key of another type is not this owner's lock.
  return string.find(known.err, 'WRONGTYPE', 1, true) and 0 or known
end
local time = redis.call('TIME')
local now = string.sub('0000000000' .. time[1], -10) .. string.sub('000000' .. time[2], -6)
local micros = tonumber(now)
--INCLUDE
local stored = known[3]
local grant = known[1] and stored and string.sub(stored, 2, 6) == string.sub(asked, 2, 6) and read_grant(known[1])
if not grant or grant.state == 'R' or grant.share ~= string.sub(asked, 1, 1) or (grant.token ~= token and token ~= '0000000000000000') or ends_at(grant) <= micros then
  return known[2] and tonumber(known[2]) > micros and 2 or 0
end
local lease = tonumber(string.sub(asked, 23, 30))
if grant.state == 'C' then
  grant.state, grant.from, grant.lease = 'H', micros, lease
else
  extend(grant, now, lease)
end
if KEYS[2] then
  local queue = { waiters = KEYS[2], alive = KEYS[3] }
  leave_queue(queue, self)
  redis.call('HDEL', KEYS[1], '?' .. self)
  stored = string.sub(stored, 1, 22) .. find_flag(queue) .. string.sub(stored, 24)
end
redis.call('HSET', KEYS[1], owner, grant_text(grant), '@', stored)
return 1
