
-- The last occurrence of a series: a hash of its time in µs, who runs it, and whether that is done. An occurrence is run once, and none before the last.
-- Returns what becomes of an occurrence if the lock is granted: started, recovering (in place of a run that is not done) or already run;
-- and the run that has or had it, where it is another.
local function judge_occurrence(occurrence_key, time, run, recover)
  local last = redis.call('HMGET', occurrence_key, 'time', 'run', 'done')
  local known = tonumber(last[1] or '-1')
  if known < tonumber(time) then
    return 'started', ''
  end
  if known == tonumber(time) then
    if not last[2] or last[2] == run then
      return 'started', ''
    end
    if not last[3] and recover then
      return 'recovering', last[2]
    end
  end
  return 'already-run', last[2] or ''
end

local function start_occurrence(occurrence_key, time, run, remember_for)
  redis.call('HSET', occurrence_key, 'time', time, 'run', run)
  redis.call('HDEL', occurrence_key, 'done')
  if redis.call('PTTL', occurrence_key) < remember_for then
    redis.call('PEXPIRE', occurrence_key, remember_for)
  end
end

local function end_occurrence(occurrence_key, time, run, is_finished)
  local last = redis.call('HMGET', occurrence_key, 'time', 'run')
  if last[1] == time and last[2] == run then
    if is_finished then
      redis.call('HSET', occurrence_key, 'done', '1')
    else
      redis.call('HDEL', occurrence_key, 'run')
    end
  end
end
