using Coordination.Hosting.Telemetry;

namespace Coordination.Hosting.Runners;

/// <summary>What a runner runs for its host: the loop of one service.</summary>
internal interface IServiceLoop
{
    /// <summary>How long leases of the service last with no renewal.</summary>
    TimeSpan LeaseDuration { get; }

    /// <summary>Completes when nobody is to wait for the loop any more.</summary>
    Task Abandoned { get; }

    /// <summary>What an operator reads of the service.</summary>
    ServiceLog Log { get; }

    /// <summary>The same of the work that keeps a lock, where there is some.</summary>
    ServiceLog WorkLog => Log;

    /// <summary>Whether it has a lock that its work keeps, or whose loss its work outlasts.</summary>
    bool HoldsLock { get; }

    /// <summary>Ends when the stop was requested and the work has returned.</summary>
    /// <param name="stop">Requests the stop.</param>
    Task RunAsync(CancellationToken stop);

    /// <summary>The loop never began, and will not.</summary>
    void EndUnbegun();
}
