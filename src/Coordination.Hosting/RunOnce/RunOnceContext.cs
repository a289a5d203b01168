namespace Coordination;

/// <summary>What work that is run once is given.</summary>
public sealed class RunOnceContext
{
    internal RunOnceContext(ILease lease, IServiceProvider services, bool isRecovery) => (Lease, Services, IsRecovery) = (lease, services, isRecovery);

    /// <summary>The lease under which nobody else does it. It is renewed until the work has returned, and released then.</summary>
    public ILease Lease { get; }

    /// <summary>The services of a scope that lasts as long as the work.</summary>
    public IServiceProvider Services { get; }

    /// <summary>Whether another node began it and did not finish: a part of the work may have been done.</summary>
    public bool IsRecovery { get; }
}
