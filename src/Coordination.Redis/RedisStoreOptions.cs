using StackExchange.Redis;

namespace Coordination;

/// <summary>
/// The settings of the Redis store, bound from the configuration section <c>Coordination:Redis</c> and checked when the host starts.
/// </summary>
public sealed class RedisStoreOptions
{
    /// <summary>The configuration section: <c>Coordination:Redis</c>.</summary>
    public const string SectionName = "Coordination:Redis";

    /// <summary>
    /// The server, in the form of StackExchange.Redis: <c>host:port,password=…,ssl=true</c>. Null, the default, for the
    /// <see cref="IConnectionMultiplexer"/> that is registered already. It may hold a password and is never logged.
    /// </summary>
    public string? ConnectionString { get; set; }

    /// <summary>
    /// The first part of every key and channel, which keeps applications that share a server apart: 1 to 128 bytes of UTF-8 with no
    /// braces, white space, control characters or half a surrogate pair; <c>coordination</c> by default. All nodes of an application use the same one.
    /// </summary>
    public string KeyPrefix { get; set; } = "coordination";

    /// <summary>The number of the database, from zero. Null, the default, for that of the connection. A Cluster has only 0.</summary>
    public int? Database { get; set; }

    /// <summary>
    /// How long a command waits for its reply, on a connection that the store makes: 10 ms to 1 minute, and shorter than the
    /// renewal interval, so that a renewal that hangs leaves time for another. Null, the default, for one second or half the renewal
    /// interval, whichever is shorter. A connection that was registered already keeps its own timeouts; those that are too long
    /// for the lease are logged as warnings.
    /// </summary>
    public TimeSpan? CommandTimeout { get; set; }

    /// <summary>
    /// Whether to find out, when the host starts, if the server can keep locks: its version, its rights, and whether its scripts are
    /// atomic. True by default. A server that cannot fails the start; one that is away is examined when it is back, and
    /// gives out no lock before. It is examined when all services of the host have started and before the host counts as started, or by what needs a lock sooner.
    /// </summary>
    public bool ProbeOnStart { get; set; } = true;

    /// <summary>
    /// Whether a connection that the store makes is read and written by threads of its own, so that renewals arrive also when the
    /// application has exhausted its thread pool. True by default. The client library has one switch for the whole process:
    /// connections that other code makes later get two threads for each server, too.
    /// </summary>
    public bool DedicatedThreads { get; set; } = true;

    /// <summary>
    /// How many replicas have to confirm a grant (<c>WAIT</c>) before the caller has the lock: 0 to 100. Zero, the default, for none: a
    /// failover before the grant was replicated then loses it. A grant that too few confirm in time counts as a failure of the store, which
    /// is tried again and undone in the end. Renewals and releases do not wait.
    /// </summary>
    /// <remarks>
    /// Makes losses rarer and rules none out: a replica that did not confirm may become the primary, and a replica confirms before its
    /// data is on disk. While a grant waits, the server replies to nothing else on its connection, so keep
    /// <see cref="ReplicationTimeout"/> short. Garnet has no WAIT.
    /// </remarks>
    public int ReplicasToWaitFor { get; set; }

    /// <summary>
    /// How long a grant waits for <see cref="ReplicasToWaitFor"/>: 1 ms to 10 s, and at most half the command timeout; 200 ms by default.
    /// </summary>
    public TimeSpan ReplicationTimeout { get; set; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Its part of the section of a node.</summary>
    internal const string Section = "Redis";

    // Fields, because these are not bound from the configuration.

    /// <summary>What <c>UseRedis(ConfigurationOptions)</c> was given.</summary>
    internal ConfigurationOptions? Configuration;

    /// <summary>What <c>UseRedis(Func&lt;IServiceProvider, IConnectionMultiplexer&gt;)</c> was given.</summary>
    internal Func<IServiceProvider, IConnectionMultiplexer>? Connect;

    /// <summary>What <c>UseRedis(Func&lt;IServiceProvider, Task&lt;IConnectionMultiplexer&gt;&gt;)</c> was given.</summary>
    internal Func<IServiceProvider, Task<IConnectionMultiplexer>>? ConnectAsync;

    internal void ConnectTo(string connectionString) => (ConnectionString, Configuration, Connect, ConnectAsync) = (connectionString, null, null, null);

    internal void ConnectTo(ConfigurationOptions configuration) => (ConnectionString, Configuration, Connect, ConnectAsync) = (null, configuration, null, null);

    internal void ConnectTo(Func<IServiceProvider, IConnectionMultiplexer> connect) => (ConnectionString, Configuration, Connect, ConnectAsync) = (null, null, connect, null);

    internal void ConnectTo(Func<IServiceProvider, Task<IConnectionMultiplexer>> connect) => (ConnectionString, Configuration, Connect, ConnectAsync) = (null, null, null, connect);

    /// <summary>The command timeout, with the default worked out.</summary>
    internal TimeSpan CommandTimeoutFor(CoordinationOptions coordination)
    {
        if (CommandTimeout is { } chosen)
        {
            return chosen;
        }

        var half = RenewalInterval(coordination) / 2;
        return half < TimeSpan.FromSeconds(1) ? half : TimeSpan.FromSeconds(1);
    }

    internal static TimeSpan RenewalInterval(CoordinationOptions coordination) =>
        coordination.RenewalInterval ?? coordination.LeaseDuration / 3;
}
