-- Extends the locks that their owners still hold, and only those: never makes a lock, never touches another's. It shortens no lease, but where the
-- entry that asks is the only one: then the lease is what that one asks for. A lock that was handed over counts as held, and is claimed by this.
-- KEYS: the record, for each request
-- ARGV: token (16 digits; all zero for any), lease in ms (8 digits) and owner#entry in one text, or owner# where no entry is named, for each request
-- Returns: for each request, whether the lock is the owner's (1), is not (0), or was revoked by an operator (2).
-- Complexity: O(N) for N requests.
local time = redis.call('TIME')
local now = string.sub('0000000000' .. time[1], -10) .. string.sub('000000' .. time[2], -6)
local micros = tonumber(now)
local sub = string.sub
local replies, has_written = {}, false
for i, key in ipairs(KEYS) do
  local asked = ARGV[i]
  local token, who = sub(asked, 1, 16), sub(asked, 25)
  -- A key of another type is not this owner's lock. By pcall, so that it does not fail the other requests. Any other error, such as a missing
  -- right, says nothing of the lock.
  local record = redis.pcall('GET', key)
  if type(record) == 'table' then
    if not string.find(record.err, 'WRONGTYPE', 1, true) then
      return record
    end
    record = false
  end
  replies[i] = 0
  if record then
    local state, from, lease = sub(record, 33, 33), tonumber(sub(record, 17, 32)), tonumber(sub(record, 35, 42))
    local is_only = sub(record, 43) == who
    local is_own = is_only
    if not is_own then
      local owner = string.match(who, '^.*#')
      is_own = sub(record, 43, 42 + #owner) == owner
      is_only = sub(record, 43, 43 + #who) == who .. '\n'
    end
    if from and lease and (state == 'H' or state == 'C') and is_own and (token == '0000000000000000' or token == sub(record, 1, 16))
      and (from > micros or from + lease * 1000 > micros) then
      replies[i] = 1
      local wanted = tonumber(sub(asked, 17, 24))
      -- The clock may have been set back: a lease that was to begin later begins now.
      local life = '172800000'
      if sub(record, 1, 16) > now then
        life = string.format('%.0f', 172800000 + math.ceil((tonumber(sub(record, 1, 16)) - micros) / 1000))
      end
      if not has_written then
        -- A server without memory lets a script's writes through when they follow one that takes none.
        redis.call('PEXPIRE', key, life)
        has_written = true
      end
      if state == 'C' or is_only or micros + wanted * 1000 >= math.min(from, micros) + lease * 1000 then
        if sub(record, 17, 22) == sub(now, 1, 6) and sub(record, 35, 42) == sub(asked, 17, 24) and state == 'H' then
          redis.call('SETRANGE', key, 16, now)
        else
          -- What is written in part keeps the life of the key: so once in 10,000 s it is written whole.
          redis.call('SET', key, sub(record, 1, 16) .. now .. 'H' .. sub(record, 34, 34) .. sub(asked, 17, 24) .. sub(record, 43), 'PX', life)
        end
      elseif from > micros then
        redis.call('SETRANGE', key, 16, now)
      end
    else
      local ends = token ~= '0000000000000000' and string.match(record, '[\n,]' .. token .. ':(%d+)', 43)
      if ends and tonumber(ends) > micros then
        replies[i] = 2
      end
    end
  end
end
return replies
