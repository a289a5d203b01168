namespace Coordination.TestKit.Servers;

/// <summary>A Cluster of three masters.</summary>
public sealed class ClusterFixture : ServerFixture
{
    /// <summary>Longer than a busy machine holds a server up: nothing fails over here.</summary>
    private static readonly TimeSpan NodeTimeout = TimeSpan.FromSeconds(30);

    private RedisCluster? _cluster;

    protected override async Task<string> StartAsync()
    {
        _cluster = await RedisCluster.StartAsync(NodeTimeout);
        return _cluster.ConnectionString;
    }

    protected override ValueTask StopAsync() => _cluster?.DisposeAsync() ?? ValueTask.CompletedTask;
}
