namespace Coordination.Benchmarks.Servers;

/// <summary>On what the client reads replies.</summary>
internal enum ConnectionThreads
{
    /// <summary>Threads of the connection's own.</summary>
    Dedicated,

    /// <summary>Threads of the pool.</summary>
    Pool,
}
