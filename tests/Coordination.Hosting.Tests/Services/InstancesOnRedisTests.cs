using System.Net;
using Coordination.Hosting.Tests.Nodes;
using Coordination.TestKit.Servers;
using Coordination.TestKit.Waiting;

namespace Coordination.Hosting.Tests.Services;

/// <summary>A service of which three of five hosts do the work at a time, on a server.</summary>
[Needs(Need.RedisServer)]
public sealed class InstancesOnRedisTests(RedisServerFixture server) : IAsyncDisposable
{
    private const int Instances = 3;

    /// <summary>How long anything may take before the test fails.</summary>
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    private readonly string _prefix = "instances-" + Guid.NewGuid().ToString("N")[..8];
    private readonly WorkOfAll _work = new();
    private readonly List<RedisHost> _hosts = [];
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private IEnumerable<RedisHost> Working => _hosts.Where(host => host.Work.IsRunning);

    public async ValueTask DisposeAsync()
    {
        _drained.TrySetResult();
        await Task.WhenAll(_hosts.Select(host => host.DisposeAsync().AsTask()));
    }

    /// <summary>The leases outlast the test: nothing but a release lets another lead.</summary>
    [Fact]
    [Promise("G1", "G3", "G10")]
    public async Task Three_of_five_hosts_lead_and_one_that_stops_is_replaced_at_once()
    {
        await StartAsync(lease: 4 * Bound, _drained.Task);
        var leaving = Working.Single(host => host.Work.Term.Instance == 1);
        var staying = Working.Except([leaving]).ToList();

        var stop = leaving.StopAsync();
        await UntilAsync(() => leaving.Work.WasTold, "it is told to stop");
        Assert.False(stop.IsCompleted);
        Assert.Equal((3, 2), Counts(await InspectAsync()));
        Assert.Equal(3, Working.Count());

        _drained.SetResult();
        await stop.WaitAsync(Bound, Token);
        await ShowReplacedAsync(leaving, staying);

        // Of those that are left, each leads in the end.
        foreach (var host in staying)
        {
            await host.StopAsync().WaitAsync(Bound, Token);
            await UntilAsync(() => Working.Count() == Math.Min(Instances, _hosts.Count(other => other.Work.Terms == 0 || other.Work.IsRunning)), "the next one leads");
        }

        Assert.All(_hosts, host => Assert.Equal(1, host.Work.Terms));
        await ShowLeadersAsync();
        Assert.Equal((2, 0), Counts(await InspectAsync()));
        Assert.Empty(_work.Wrongs);
    }

    [Fact]
    [Promise("G1", "G2", "G4", "G12")]
    public async Task A_host_that_is_cut_off_is_told_first_and_replaced_within_its_lease()
    {
        var lease = TimeSpan.FromSeconds(3);
        await StartAsync(lease);
        var crashed = Working.Single(host => host.Work.Term.Instance == 2);
        var staying = Working.Except([crashed]).ToList();
        var begin = TimeProvider.System.GetTimestamp();
        crashed.Cut();
        await UntilAsync(() => _hosts.Except(staying).Except([crashed]).Any(host => host.Work.IsRunning), "another leads in its place");

        // And what a busy machine takes for it.
        Assert.InRange(TimeProvider.System.GetElapsedTime(begin), TimeSpan.Zero, lease + TimeSpan.FromMilliseconds(250) + lease);
        Assert.Equal((LeaseState.Lost, false), (crashed.Work.Term.State, crashed.Work.IsRunning));
        await ShowReplacedAsync(crashed, staying);

        // It stands by as soon as it can, and leads again when it is its turn.
        crashed.LetPass();
        await UntilAsync(async () => Counts(await InspectAsync()) == (3, 2), "it stands by");
        foreach (var host in _hosts.Except([crashed]).ToList())
        {
            await host.StopAsync().WaitAsync(Bound, Token);
        }

        await UntilAsync(() => crashed.Work.IsRunning, "it leads again");
        Assert.Empty(_work.Wrongs);
    }

    private static (int Holders, int Waiters) Counts(LockInspection inspection) => (inspection.Holders.Count, inspection.Waiters.Count);

    private static Task UntilAsync(Func<bool> condition, string what) => Eventually.IsTrueAsync(condition, Bound, what);

    private static Task UntilAsync(Func<Task<bool>> condition, string what) => Eventually.IsTrueAsync(condition, Bound, what);

    /// <summary>Starts five hosts at a time, and waits until three of them lead and two stand by.</summary>
    private async Task StartAsync(TimeSpan lease, Task? drained = null)
    {
        var port = ((IPEndPoint)(await server.GetSettingsAsync()).EndPoints[0]).Port;
        _hosts.AddRange(await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => RedisHost.StartAsync(port, _prefix, lease, Instances, _work.Of(Instances, drained)))));
        await UntilAsync(async () => !_work.Wrongs.IsEmpty || (Working.Count() == Instances && Counts(await InspectAsync()) == (Instances, 2)), "three lead and two stand by");
        Assert.Empty(_work.Wrongs);
        await ShowLeadersAsync();
    }

    /// <summary>One that stood by has the number of one that is gone, and those that stay have noticed nothing.</summary>
    private async Task ShowReplacedAsync(RedisHost gone, List<RedisHost> staying)
    {
        await UntilAsync(() => Working.Count() == Instances, "another leads in its place");
        var next = Assert.Single(Working.Except(staying));
        Assert.NotSame(gone, next);
        Assert.Equal(gone.Work.Term.Instance, next.Work.Term.Instance);
        Assert.True(next.Work.Term.FencingToken > gone.Work.Term.FencingToken);
        Assert.All(staying, host => Assert.Equal((1, LeaseState.Held), (host.Work.Terms, host.Work.Term.State)));
        await ShowLeadersAsync();
    }

    /// <summary>All hosts that can ask name those that work, each with its token and its number: asked, and as far as they know.</summary>
    private async Task ShowLeadersAsync()
    {
        var leaders = Working.Select(host => (host.Work.Term.Instance, host.NodeId, host.Work.Term.FencingToken)).Order().ToList();
        Assert.Equal(leaders.Count, leaders.Select(leader => leader.Instance).Distinct().Count());
        foreach (var leadership in _hosts.Where(host => host.IsUp).Select(host => host.Leadership))
        {
            Assert.Equal(leaders, Names(await leadership.GetLeadersAsync(Token)));
            await UntilAsync(() => Names(leadership.Leaders).SequenceEqual(leaders), "it knows all leaders");
        }

        static IEnumerable<(int Instance, string NodeId, long FencingToken)> Names(IEnumerable<LeaderInfo> leaders) =>
            leaders.Select(leader => (leader.Instance, leader.NodeId, leader.FencingToken));
    }

    private Task<LockInspection> InspectAsync() => _hosts.First(host => host.IsUp).Inspector.InspectAsync(WorkingService.LockName, cancellationToken: Token);
}
