-- Extends the shares of locks that their owners still hold, and only those. It shortens no lease, but where the entry that asks is the only one: then the lease is
-- what that one asks for. A lock that was handed over counts as held, and is claimed by this.
-- KEYS: the lock, for each request
-- ARGV: what is held (p, r, u, w, x), how many permits (5 digits), token (16 digits; all zero for any), lease in ms (8 digits) and owner#entry in one text, or owner# where no entry is named, for
--   each request
-- Returns: for each request, whether the share is the owner's (1), is not (0), or was revoked by an operator (2).
-- Complexity: O(N) for N requests.
local time = redis.call('TIME')
local now = string.sub('0000000000' .. time[1], -10) .. string.sub('000000' .. time[2], -6)
local micros = tonumber(now)
local sub, match = string.sub, string.match
local replies, has_written = {}, false
for i, key in ipairs(KEYS) do
  local asked = ARGV[i]
  local token = sub(asked, 7, 22)
  local owner, entry = match(asked, '^(.*)#([^#]*)$', 31)
  -- A key of another type is not this owner's lock. By pcall, so that it does not fail the other requests.
  local known = redis.pcall('HMGET', key, owner, '-' .. token, '@')
  if known.err then
    if not string.find(known.err, 'WRONGTYPE', 1, true) then
      return known
    end
    known = { false, false, false }
  end
  local grant = known[1]
  replies[i] = 0
  local state, from, lease
  if grant then
    state, from, lease = sub(grant, 1, 1), tonumber(sub(grant, 19, 34)), tonumber(sub(grant, 35, 42))
  end
  if grant and state ~= 'R' and sub(grant, 2, 2) == sub(asked, 1, 1) and known[3] and sub(known[3], 2, 6) == sub(asked, 2, 6) and (token == '0000000000000000' or token == sub(grant, 3, 18))
    and (from > micros or from + lease * 1000 > micros) then
    replies[i] = 1
    local wanted = tonumber(sub(asked, 23, 30))
    if not has_written or sub(grant, 19, 24) ~= sub(now, 1, 6) then
      -- A server without memory lets a script's writes through when they follow one that takes none. And the life of the key goes on.
      redis.call('PEXPIRE', key, string.format('%.0f', 172800000 + math.max(0, math.ceil((tonumber(sub(grant, 3, 18)) - micros) / 1000))))
      has_written = true
    end
    local is_only = entry ~= '' and sub(grant, 48, 48 + #entry) == entry .. '\n'
    if state == 'C' or is_only or micros + wanted * 1000 >= math.min(from, micros) + lease * 1000 then
      redis.call('HSET', key, owner, 'H' .. sub(grant, 2, 18) .. now .. sub(asked, 23, 30) .. sub(grant, 43))
    elseif from > micros then
      redis.call('HSET', key, owner, sub(grant, 1, 18) .. now .. sub(grant, 35))
    end
  elseif known[2] and tonumber(known[2]) > micros then
    replies[i] = 2
  end
end
return replies
