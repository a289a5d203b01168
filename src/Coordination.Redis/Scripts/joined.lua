-- Acquires and releases locks for requests that came while others were under way, each by itself, and only where that takes no more than a look at
-- the record, or keeps a waiter's place: all else is left to the scripts for one lock.
-- KEYS: record, waiters and alive, for each request
-- ARGV: what acquire.lua or release.lua has, whose second argument is longer, for each request
-- Returns: for each request what that script would, or false where it is left to it.
-- Complexity: O(N log W) for N requests and W waiters.
local time = redis.call('TIME')
local now = string.sub('0000000000' .. time[1], -10) .. string.sub('000000' .. time[2], -6)
local micros = tonumber(now)
local sub, pcall = string.sub, redis.pcall
local replies = {}
for i = 1, #KEYS / 3 do
  local key, waiters, alive = KEYS[3 * i - 2], KEYS[3 * i - 1], KEYS[3 * i]
  local grant, options = ARGV[2 * i - 1], ARGV[2 * i]
  local reply = false
  -- By pcall: what fails is left to the script for one lock, which says why. An error here would be that of requests that were done.
  local record = pcall('GET', key)
  if type(record) ~= 'table' then
    if #options > 10 then
      if record and sub(options, 1, 1) == '2' and sub(record, 33) == grant and type(pcall('SETRANGE', key, 32, 'F')) ~= 'table' then
        reply = 1
      end
    elseif not record or select(2, string.find(record, '^%d+F0%d%d%d%d%d%d%d%d')) == 42 then
      local is_free
      if record then
        is_free = sub(record, 1, 16) < now
      else
        is_free = pcall('EXISTS', key, waiters) == 0
      end
      local done = is_free and pcall('SET', key, now .. now .. grant, 'PX', '172800000')
      if done and not done.err then
        reply = now
      end
    elseif sub(record, 33, 33) ~= 'F' then
      local from, lease = tonumber(sub(record, 17, 32)), tonumber(sub(record, 35, 42))
      local owner = string.match(grant, '^.*#', 11)
      if from and lease and from <= micros and from + lease * 1000 > micros and sub(record, 43, 42 + #owner) ~= owner then
        if sub(options, 1, 1) == '1' then
          reply = now .. record
        else
          local waiter = sub(grant, 11)
          local place = pcall('ZRANK', waiters, waiter)
          local alive_until = math.ceil((from + lease * 1000 - micros) / 1000) + math.floor(micros / 1000) + tonumber(sub(options, 3)) + 1000
          if type(place) == 'number' and type(pcall('ZADD', alive, string.format('%.0f', alive_until), waiter)) == 'number' then
            pcall('PEXPIRE', waiters, '172800000')
            pcall('PEXPIRE', alive, '172800000')
            reply = { now .. record, place }
          end
        end
      end
    end
  end
  replies[i] = reply
end
return replies
