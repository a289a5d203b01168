-- Tells the node of a holder that it is asked to step down. The lock stays as it is.
-- KEYS: lock
-- ARGV: fencing token in 16 digits, ms to stay away, the node that the lock is to pass to, else nothing, and the number of the call that asks
-- Returns: whether the lock is held under that token (1 or 0). -1 when the key is not a lock of ours.
-- Complexity: O(1); O(N) for N holders.
local time = redis.call('TIME')
local now = string.sub('0000000000' .. time[1], -10) .. string.sub('000000' .. time[2], -6)
--INCLUDE
local function ask(who)
  tell(KEYS[1], 'stepdown', who, ARGV[1] .. '\n' .. ARGV[2] .. '\n' .. ARGV[3] .. '\n' .. ARGV[4])
  return 1
end

local record = redis.pcall('GET', KEYS[1])
if type(record) == 'table' and not string.find(record.err, 'WRONGTYPE', 1, true) then
  return record
elseif type(record) == 'string' then
  if is_foreign(KEYS[1], record) then
    return -1
  end
  local lock = read(record, now)
  return (lock.state == 'H' or lock.state == 'C') and lock.token == ARGV[1] and ask(lock.who) or 0
end

-- A lock that several may hold at a time; or none, for which no more rights are needed: Garnet says of a key of another type that it has no value.
if not record and redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
local stored = redis.pcall('HGETALL', KEYS[1])
if stored.err then
  return string.find(stored.err, 'WRONGTYPE', 1, true) and -1 or stored
end
local is_ours, holder = #stored == 0, nil
for i = 1, #stored, 2 do
  local field, text = stored[i], stored[i + 1]
  if field == '@' then
    is_ours = true
  elseif string.find(text, '^[HC][pruwx]' .. ARGV[1]) and string.find(field, '/', 1, true) and string.sub(field, 1, 1) ~= '?' then
    local from, lease = tonumber(string.sub(text, 19, 34)), tonumber(string.sub(text, 35, 42))
    if from and lease and math.min(from, tonumber(now)) + lease * 1000 > tonumber(now) then
      holder = field .. '#' .. string.match(text, '^[^\n]*', 48)
    end
  end
end
return not is_ours and -1 or holder and ask(holder) or 0
