-- Acquires and releases locks that several may hold at a time, for requests that came while others were under way, each by itself, and only by the short way.
-- KEYS: lock, for each request
-- ARGV: what share-acquire.lua or share-release.lua has, without its third, for each request; the second one of a release is longer
-- Returns: for each request what that script would, or false where it is left to it.
-- Complexity: O(N) for N requests.
local time = redis.call('TIME')
local now = string.sub('0000000000' .. time[1], -10) .. string.sub('000000' .. time[2], -6)
local replies = {}
for i = 1, #KEYS do
  local asked, options = ARGV[2 * i - 1], ARGV[2 * i]
  if #options > 10 then
    replies[i] = release_short_way(KEYS[i], asked, options) and 1
  else
    replies[i] = acquire_short_way(KEYS[i], asked, now) or false
  end
end
return replies
