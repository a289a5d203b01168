-- Looks at a lock.
-- KEYS: record
-- Returns: the time and the record in one text; nothing when there is none.
-- Complexity: O(1).
local record = redis.call('GET', KEYS[1])
if not record or record == '' then
  -- Garnet says of a key of another type that it has no value. One character is no record.
  if redis.call('EXISTS', KEYS[1]) == 0 then
    return ''
  end
  record = '?'
end
local time = redis.call('TIME')
return string.sub('0000000000' .. time[1], -10) .. string.sub('000000' .. time[2], -6) .. record
