
-- The occurrences of a series: a hash. time (µs), run and done are of the last one, as an exclusive lock keeps it, which knows no other. Runs that share a lock
-- begin in any order and are under way beside each other, so the ones before are kept too, 64 in all:
--   a time  an occurrence before the last: 1 done, 0 not done, - free for another run; then its run
--   floor   the latest time that is not kept any more: of those up to it, the ones that are not kept count as run
--   newest  the last time when the others were written. Where it is another one, an exclusive lock was granted for a later one meanwhile: then
--           they count for nothing, and all before that one as run
-- Returns what becomes of an occurrence if the lock is granted: started, recovering (in place of a run that is not done) or already run;
-- and the run that has or had it, where it is another.
local function judge_occurrence(occurrence_key, time, run, recover)
  local last = redis.call('HMGET', occurrence_key, 'time', 'run', 'done', 'newest', 'floor', time)
  local newest, other, is_done = last[1], last[2], last[3]
  if not newest or tonumber(newest) < tonumber(time) then
    return 'started', ''
  end
  if newest ~= time then
    local kept = last[4] == newest and last[6]
    if not kept then
      if last[4] == newest and tonumber(last[5]) < tonumber(time) then
        return 'started', ''
      end
      return 'already-run', other or ''
    end
    local state = string.sub(kept, 1, 1)
    other, is_done = state ~= '-' and string.sub(kept, 2), state == '1'
  end
  if not other or other == run then
    return 'started', ''
  end
  return not is_done and recover and 'recovering' or 'already-run', other
end

local function start_occurrence(occurrence_key, time, run, remember_for)
  local last, times = {}, {}
  local stored = redis.call('HGETALL', occurrence_key)
  for i = 1, #stored, 2 do
    last[stored[i]] = stored[i + 1]
    if tonumber(stored[i]) then
      times[#times + 1] = stored[i]
    end
  end
  local newest, floor = last.time, last.floor or '0'
  if newest ~= last.newest then
    for _, other in ipairs(times) do
      redis.call('HDEL', occurrence_key, other)
    end
    floor, times = newest, {}
  end
  -- Which one is kept as one before the last from now on, and was not yet.
  local other, text
  if newest and tonumber(time) < tonumber(newest) then
    other, text = not last[time] and time, '0' .. run
    redis.call('HSET', occurrence_key, time, text)
  else
    if newest and newest ~= time then
      other, text = newest, last.run and (last.done and '1' or '0') .. last.run or '-'
      redis.call('HSET', occurrence_key, newest, text)
    end
    redis.call('HSET', occurrence_key, 'time', time, 'run', run, 'newest', time, 'floor', floor)
    redis.call('HDEL', occurrence_key, 'done')
  end
  if other then
    times[#times + 1], last[other] = other, text
  end
  if #times == 64 then
    -- The oldest goes, and one that is done rather than one that is not, of the older half; never the one that begins.
    table.sort(times, function(one, another)
      return tonumber(one) < tonumber(another)
    end)
    local dropped = times[1] ~= time and times[1] or times[2]
    for i = 1, 32 do
      if string.sub(last[times[i]], 1, 1) == '1' then
        dropped = times[i]
        break
      end
    end
    redis.call('HDEL', occurrence_key, dropped)
    if tonumber(floor) < tonumber(dropped) then
      redis.call('HSET', occurrence_key, 'floor', dropped)
    end
  end
  if redis.call('PTTL', occurrence_key) < remember_for then
    redis.call('PEXPIRE', occurrence_key, remember_for)
  end
end

local function end_occurrence(occurrence_key, time, run, is_finished)
  local last = redis.call('HMGET', occurrence_key, 'time', 'run', 'newest', time)
  if last[1] == time then
    if last[2] == run then
      if is_finished then
        redis.call('HSET', occurrence_key, 'done', '1')
      else
        redis.call('HDEL', occurrence_key, 'run')
      end
    end
  elseif last[1] and last[1] == last[3] and (last[4] == '0' .. run or last[4] == '1' .. run) then
    redis.call('HSET', occurrence_key, time, is_finished and '1' .. run or '-')
  end
end
