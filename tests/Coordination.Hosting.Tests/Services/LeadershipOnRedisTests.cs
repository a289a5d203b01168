using System.Net;
using Coordination.Hosting.Tests.Nodes;
using Coordination.TestKit.Servers;
using Coordination.TestKit.Waiting;

namespace Coordination.Hosting.Tests.Services;

/// <summary>Leads that are given away on purpose, on a server. The leases outlast the tests: nothing but a release lets another lead.</summary>
[Needs(Need.RedisServer)]
public sealed class LeadershipOnRedisTests(RedisServerFixture server) : IAsyncDisposable
{
    /// <summary>How long anything may take before the test fails.</summary>
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    private readonly string _prefix = "leadership-" + Guid.NewGuid().ToString("N")[..8];
    private readonly List<RedisHost> _hosts = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        _hosts.ForEach(static host => host.Work.LetGo());
        await Task.WhenAll(_hosts.Select(host => host.DisposeAsync().AsTask()));
    }

    [Theory]
    [Promise("G3", "G9", "G14")]
    [Failure("F21", "F60")]
    [InlineData("operator")]
    [InlineData("another node")]
    [InlineData("the leader")]
    public async Task The_lead_passes_to_the_node_that_is_named_after_the_work_has_returned(string by)
    {
        var work = new Work();
        work.Do = work.UntilLetGoAsync;
        var a = await StartAsync("a", work: work);
        await LeadsAsync(a);
        var b = await StartAsync("b");
        await WaitAsync(1);
        var c = await StartAsync("c");
        await WaitAsync(2);

        var stepping = by switch
        {
            "operator" => b.Inspector.StepDownAsync(WorkingService.LockName, "c", TimeSpan.FromMinutes(1), cancellationToken: Token),
            "another node" => b.Leadership.StepDownAsync(TimeSpan.FromMinutes(1), "c", Token),
            _ => a.Leadership.StepDownAsync(TimeSpan.FromMinutes(1), c.NodeId, Token),
        };
        await UntilAsync(() => work.WasTold, "the work is told");
        Assert.Equal((true, 0, 0), (a.Leadership.IsLeader, b.Work.Terms, c.Work.Terms));
        work.LetGo();
        await LeadsAsync(c);
        Assert.Equal(StepDownResult.SteppedDown, await stepping.WaitAsync(Bound, Token));
        Assert.True(c.Work.Term.FencingToken > a.Work.Term.FencingToken);
        await WaitAsync(1);
        Assert.Equal(0, b.Work.Terms);
    }

    [Fact]
    [Promise("G14")]
    [Failure("F22")]
    public async Task A_drained_node_gives_the_lead_away_and_waits_for_none_until_it_is_resumed()
    {
        var a = await StartAsync("a");
        await LeadsAsync(a);
        var b = await StartAsync("b");
        await WaitAsync(1);
        await a.Drain.DrainAsync(Token).WaitAsync(Bound, Token);
        Assert.False(a.Work.IsRunning);
        await LeadsAsync(b);
        await WaitAsync(0);
        a.Drain.Resume();
        await WaitAsync(1);
        Assert.Equal((1, 1), (a.Work.Terms, b.Work.Terms));
    }

    [Theory]
    [Promise("G1", "G14")]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_node_of_a_higher_rank_leads_after_the_dwell_time_and_one_makes_way_for_it(int instances)
    {
        var old = new List<RedisHost>();
        for (var i = 0; i < instances; i++)
        {
            old.Add(await StartAsync($"old{i}", options => Rank(options, 1)));
            await LeadsAsync(old[i]);
        }

        var young = await StartAsync("young", options => Rank(options, 2));
        await LeadsAsync(young);
        await WaitAsync(1);
        Assert.Equal((instances + 1, instances), (_hosts.Sum(host => host.Work.Terms), _hosts.Count(host => host.Work.IsRunning)));
        var leader = (await old[0].Leadership.GetLeadersAsync(Token)).Single(leader => leader.NodeId == young.NodeId);
        Assert.Equal((2L, "v2"), (leader.Rank, leader.Note));

        void Rank(ExclusiveServiceOptions options, long rank) =>
            (options.Instances, options.Rank, options.Note, options.PreferenceDwell) = (instances, rank, $"v{rank}", TimeSpan.FromSeconds(1));
    }

    [Fact]
    [Promise("G14")]
    [Failure("F65")]
    public async Task A_preferred_node_that_fails_is_passed_over_by_three_until_it_states_its_rank()
    {
        var a = await StartAsync("a", static options => Rank(options, 1));
        await LeadsAsync(a);
        await StartAsync("b", static options => Rank(options, 1));
        await WaitAsync(1);
        var failing = new Work { Do = static (_, _) => throw new InvalidOperationException("it fails") };
        var bad = await StartAsync("bad", static options => Rank(options, 2), failing);
        await UntilAsync(() => failing.Terms == 1, "it fails");
        await Eventually.IsTrueAsync(async () => await RankOfAsync() == long.MinValue, Bound, "it abstains");

        // For two dwell times, that are five seconds each at least.
        await Task.Delay(TimeSpan.FromSeconds(5), Token);
        Assert.Equal((1, long.MinValue), (failing.Terms, await RankOfAsync()));
        await Eventually.IsTrueAsync(async () => await RankOfAsync() == 2, Bound, "its rank is there again");
        failing.Do = Work.UntilToldAsync;
        await LeadsAsync(bad);

        async Task<long?> RankOfAsync() =>
            (await a.Inspector.InspectAsync(WorkingService.LockName, cancellationToken: Token)).Waiters.FirstOrDefault(waiter => waiter.Owner.NodeId == bad.NodeId)?.Rank;

        static void Rank(ExclusiveServiceOptions options, long rank) => (options.Rank, options.PreferenceDwell) = (rank, TimeSpan.FromSeconds(1));
    }

    private static Task UntilAsync(Func<bool> condition, string what) => Eventually.IsTrueAsync(condition, Bound, what);

    private static Task LeadsAsync(RedisHost host) => UntilAsync(() => host.Leadership.IsLeader && host.Work.IsRunning, $"{host.NodeId} leads");

    private async Task<RedisHost> StartAsync(string name, Action<ExclusiveServiceOptions>? configure = null, Work? work = null)
    {
        var port = ((IPEndPoint)(await server.GetSettingsAsync()).EndPoints[0]).Port;
        var host = await RedisHost.StartAsync(port, _prefix, 4 * Bound, work ?? new Work(), configure ?? (static _ => { }), name);
        _hosts.Add(host);
        return host;
    }

    private Task WaitAsync(int waiters) => Eventually.IsTrueAsync(
        async () => (await _hosts[0].Inspector.InspectAsync(WorkingService.LockName, cancellationToken: Token)).WaiterCount == waiters, Bound, $"{waiters} wait");
}
