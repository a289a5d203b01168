-- The short way of locks that several may hold at a time: mostly there is room, or it is the only entry, and nobody waits. It reads two fields and writes two,
-- however many hold the lock. It stands before the scripts that have it, and needs nothing of what they include: that costs more than this, for a helper is made
-- anew at each run. All else, also what fails, is left to them. shares.lua says what stands where.

local function kind_of(share)
  return share == 'p' and 'p' or 'w'
end

-- Returns the token and the number of the permit in one text, or nil where it is left to the long way.
local function acquire_short_way(key, asked, now)
  local sub, share = string.sub, string.sub(asked, 1, 1)
  local owner, entry = string.match(asked, '^(.*)#([^#]*)$', 15)
  local known = redis.pcall('HMGET', key, '@', owner)
  local stored = known[1]
  if share == 'x' or not stored or known[2] or sub(stored, 1, 6) ~= kind_of(share) .. sub(asked, 2, 6) or sub(stored, 23, 23) ~= '0' or sub(stored, 7, 22) >= now
    or tonumber(now) - tonumber(sub(stored, 34, 49)) >= 10000000000 then
    return nil
  end
  local count, others = tonumber(sub(stored, 24, 31)), sub(stored, 32, 33)
  local has_room
  if share == 'p' then
    has_room = count < tonumber(sub(stored, 2, 6))
  elseif share == 'r' then
    has_room = sub(others, 2) == '0'
  elseif share == 'u' then
    has_room = others == '00'
    others = '10'
  else
    has_room = count == 0
    others = '01'
  end
  if not has_room then
    return nil
  end
  local high, free, permit = sub(stored, 50, 54), sub(stored, 55), '00000'
  if share == 'p' then
    if free ~= '' then
      permit, free = sub(free, 1, 5), sub(free, 6)
    else
      permit, high = high, string.format('%05.0f', tonumber(high) + 1)
    end
  end
  local done = redis.pcall('HSET', key,
    '@', sub(stored, 1, 6) .. now .. '0' .. string.format('%08.0f', count + 1) .. others .. sub(stored, 34, 49) .. high .. free,
    owner, 'H' .. share .. now .. now .. sub(asked, 7, 14) .. permit .. entry .. '\n\n\n')
  return type(done) == 'number' and now .. permit or nil
end

-- Returns whether it was released. Whether the lease lasts still is the asker's to know.
local function release_short_way(key, asked, options)
  local sub, share = string.sub, string.sub(asked, 1, 1)
  if share == 'x' or sub(asked, 7, 14) == '00000000' or sub(options, 10) ~= '00000000' then
    return false
  end
  local owner, entry = string.match(asked, '^(.*)#([^#]*)$', 15)
  local known = redis.pcall('HMGET', key, '@', owner)
  local stored, mine = known[1], known[2]
  if not stored or not mine or sub(stored, 1, 6) ~= kind_of(share) .. sub(asked, 2, 6) or sub(stored, 23, 23) ~= '0' or sub(mine, 1, 2) ~= 'H' .. share
    or sub(mine, 48, 49 + #entry) ~= entry .. '\n\n' then
    return false
  end
  local others = sub(stored, 32, 33)
  if share == 'u' then
    others = '0' .. sub(others, 2)
  elseif share == 'w' then
    others = sub(others, 1, 1) .. '0'
  end
  local high, free = sub(stored, 50, 54), sub(stored, 55)
  if share == 'p' then
    local permit = sub(mine, 43, 47)
    if tonumber(permit) + 1 < tonumber(high) then
      -- In order, so that the lowest number is given first.
      local low, top = 0, #free / 5
      while low < top do
        local middle = math.floor((low + top) / 2)
        if sub(free, 5 * middle + 1, 5 * middle + 5) < permit then
          low = middle + 1
        else
          top = middle
        end
      end
      free = sub(free, 1, 5 * low) .. permit .. sub(free, 5 * low + 1)
    else
      -- The last number goes, and those before it that no permit has.
      local top, left = tonumber(permit), #free / 5
      while left > 0 and tonumber(sub(free, 5 * left - 4, 5 * left)) == top - 1 do
        top, left = top - 1, left - 1
      end
      high, free = string.format('%05.0f', top), sub(free, 1, 5 * left)
    end
  end
  -- First what takes no memory: then a server without any lets the other one through.
  if type(redis.pcall('HDEL', key, owner)) ~= 'number' then
    return false
  end
  redis.call('HSET', key, '@', sub(stored, 1, 23) .. string.format('%08.0f', tonumber(sub(stored, 24, 31)) - 1) .. others .. sub(stored, 34, 49) .. high .. free)
  return true
end
