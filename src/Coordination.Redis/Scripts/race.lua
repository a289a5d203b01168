-- Counts up by reading, dallying and writing, which loses counts unless the server runs scripts on one key one after another.
-- KEYS: a counter of its own
-- ARGV: ms that the counter lasts, how often it dallies
-- Complexity: O(how often it dallies).
local before = tonumber(redis.call('GET', KEYS[1]) or 0)
-- Something that the server has to do in between, so that two scripts that may overlap do.
for _ = 1, tonumber(ARGV[2]) do
  redis.call('GET', KEYS[1])
end
redis.call('SET', KEYS[1], string.format('%.0f', before + 1), 'PX', ARGV[1])
return 1
