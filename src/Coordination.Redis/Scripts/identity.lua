-- Asks the server what it is. By a script, because the client library refuses INFO on connections that are not for administration.
-- KEYS: any, by which a proxy finds the server
-- Returns: INFO server, INFO replication, INFO memory and INFO persistence.
-- Complexity: O(1).
return redis.call('INFO', 'server') .. redis.call('INFO', 'replication') .. redis.call('INFO', 'memory') .. redis.call('INFO', 'persistence')
