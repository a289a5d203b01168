namespace Coordination.Hosting.Tests.Nodes;

/// <summary>The service under test: does what its node's <see cref="Work"/> says.</summary>
internal sealed class WorkingService(Work work) : ExclusiveBackgroundService
{
    /// <summary>The lock that it has by default.</summary>
    public const string LockName = "Coordination.Hosting.Tests/Coordination.Hosting.Tests.Nodes.WorkingService";

    protected override Task ExecuteExclusiveAsync(ILockLease lease, CancellationToken stoppingToken) => work.RunAsync(lease, stoppingToken);
}
