namespace Coordination.Benchmarks.Peers;

internal enum PeerKind
{
    /// <summary>The two commands that any lock on Redis needs: SET NX PX, and a script that deletes what is still one's own.</summary>
    Raw,

    Coordination,

    /// <summary>This library, by its call that does not wait.</summary>
    CoordinationTry,

    DistributedLock,

    RedLock,
}
