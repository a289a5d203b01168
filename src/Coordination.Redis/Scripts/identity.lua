-- Asks the server what it is. By a script, because the client library refuses INFO on connections that are not for administration.
-- KEYS: any, by which a proxy finds the server
-- Returns: INFO server and INFO replication.
-- Complexity: O(1).
return redis.call('INFO', 'server') .. redis.call('INFO', 'replication')
