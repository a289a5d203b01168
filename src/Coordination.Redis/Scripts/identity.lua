-- Asks the server what it is. By a script, because the client library refuses INFO on connections that are not for administration.
-- Returns: INFO server.
-- Complexity: O(1).
return redis.call('INFO', 'server')
