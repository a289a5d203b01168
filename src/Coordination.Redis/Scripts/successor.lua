
-- The first live waiter of a node, which a release passes the lock to before those that came earlier. Nil where there is none.
local function first_of(queue, now, node)
  local millis, start, size = to_millis(now), 0, 100
  while true do
    local page = redis.call('ZRANGE', queue.waiters, start, start + size - 1)
    if #page == 0 then
      return nil
    end
    for _, waiter in ipairs(page) do
      if node_of(owner_of(waiter)) == node and tonumber(redis.call('ZMSCORE', queue.alive, waiter)[1] or 0) > millis then
        return waiter
      end
    end
    start = start + size
  end
end
