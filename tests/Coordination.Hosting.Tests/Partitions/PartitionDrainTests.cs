using System.Collections.Concurrent;
using Coordination.Hosting.Tests.Nodes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Coordination.Hosting.Tests.Partitions;

/// <summary>Nodes that are drained, or may not lead: they take no part in sharing the partitions, and give away those that they lead.</summary>
public sealed class PartitionDrainTests
{
    private const int TakesPartLine = 1260;
    private const int TakesNoPartLine = 1272;
    private const int PassesOverLine = 1255;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Promise("G1", "G10", "G14")]
    [Failure("F21")]
    public async Task A_drain_gives_partitions_to_the_others_one_after_the_other()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        using var held = new HeldWork(work);
        var (a, b) = await cluster.StartTwoPartitionNodesAsync(work);
        var before = work.Terms.Count;
        held.NodeId = a.NodeId;

        var drain = a.Host.Services.GetRequiredService<NodeDrain>();
        var draining = drain.DrainAsync(Token);
        for (var told = 1; told <= 6; told++)
        {
            await cluster.PassUntilAsync(work, () => held.Told == told, TimeSpan.FromMinutes(1), "the next one is told");
            await cluster.PassAsync(work, 3 * PartitionNode.BalanceInterval);
            Assert.Equal((told, 7 - told, told + 5), (held.Told, work.RunningOn(a.NodeId), work.RunningOn(b.NodeId)));
            Assert.Equal((true, false, false), (drain.IsRequested, drain.IsDrained, draining.IsCompleted));
            held.LetGo();
        }

        await cluster.PassUntilAsync(work, () => draining.IsCompleted, TimeSpan.FromMinutes(1), "a is drained");
        await cluster.SharedAsync(work, (b, 12));
        await cluster.PassAsync(work, 5 * PartitionNode.BalanceInterval);
        Assert.Equal((true, false, 0, 0, 12), (drain.IsDrained, a.Partitions.CanLead, a.Partitions.Share, a.Partitions.Led.Count, work.RunningOn(b.NodeId)));
        Assert.Equal([b.NodeId], a.Partitions.Members.Select(static member => member.NodeId));
        Assert.Equal((1, before + 6), (a.Logged(TakesNoPartLine), work.Terms.Count));
        Assert.Empty(work.Wrongs);
        AssertQuiet(a, b);
    }

    [Fact]
    [Promise("G1", "G14")]
    public async Task A_node_that_is_resumed_is_a_member_again_and_has_its_share()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var (a, b) = await cluster.StartTwoPartitionNodesAsync(work);
        var drain = a.Host.Services.GetRequiredService<NodeDrain>();
        var draining = drain.DrainAsync(Token);
        await cluster.SharedAsync(work, (a, 0), (b, 12));
        await cluster.PassUntilAsync(work, () => draining.IsCompleted, TimeSpan.FromMinutes(1), "a is drained");

        drain.Resume();
        await cluster.SharedAsync(work, (a, 6), (b, 6));
        Assert.Equal((true, 6, 2), (a.Partitions.CanLead, a.Partitions.Share, a.Logged(TakesPartLine)));
        Assert.Empty(work.Wrongs);
        AssertQuiet(a, b);
    }

    [Fact]
    [Promise("G1", "G10")]
    [Failure("F22")]
    public async Task A_node_that_is_resumed_in_its_drain_leads_on_what_it_has()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        using var held = new HeldWork(work);
        var (a, b) = await cluster.StartTwoPartitionNodesAsync(work);
        var before = work.Terms.Count;
        held.NodeId = a.NodeId;
        var drain = a.Host.Services.GetRequiredService<NodeDrain>();
        var draining = drain.DrainAsync(Token);
        await cluster.PassUntilAsync(work, () => held.Told == 1, TimeSpan.FromMinutes(1), "the first is told");

        drain.Resume();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => draining);
        await cluster.PassUntilAsync(work, () => a.Partitions.Share == 6, TimeSpan.FromMinutes(1), "a is a member again");
        held.NodeId = null;
        held.LetGo();
        await cluster.SharedAsync(work, (a, 6), (b, 6));
        await cluster.PassAsync(work, 5 * PartitionNode.BalanceInterval);
        Assert.Equal((1, 6, 6), (held.Told, work.RunningOn(a.NodeId), work.RunningOn(b.NodeId)));

        // The one that was told began again, maybe after a term of b, and no other one did.
        Assert.Single(work.Terms.Skip(before).Select(static term => term.Partition).Distinct());
        Assert.Empty(work.Wrongs);
        AssertQuiet(a, b);
    }

    [Fact]
    [Promise("G10", "G14")]
    public async Task A_drain_ends_also_where_no_other_node_waits_for_a_partition()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var names = new PartitionNames { Now = [.. Enumerable.Range(0, 12).Select(static number => $"{number}")] };
        var a = await cluster.StartPartitionNodeAsync("a", work, names: names);
        await cluster.SharedAsync(work, (a, 12));
        await cluster.StartPartitionNodeAsync("b", work, names: new PartitionNames { Now = ["elsewhere"] });
        await cluster.PassUntilAsync(work, () => a.Partitions.Share == 6, TimeSpan.FromMinutes(1), "a sees b");

        var draining = a.Host.Services.GetRequiredService<NodeDrain>().DrainAsync(Token);
        await cluster.PassUntilAsync(work, () => draining.IsCompletedSuccessfully, TimeSpan.FromMinutes(1), "a is drained");
        Assert.Equal("elsewhere", Assert.Single(work.Now.Keys).Partition);
        AssertQuiet(a);
    }

    [Fact]
    [Promise("G14")]
    [Failure("F24")]
    public async Task Work_of_a_partition_that_hangs_after_its_lease_was_lost_holds_up_no_drain()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var letGo = new TaskCompletionSource();
        work.Do["3"] = (_, _) => letGo.Task;
        var a = await cluster.StartPartitionNodeAsync("a", work);
        await cluster.SharedAsync(work, (a, 12));
        cluster.Store.Delete($"{SharedService.LockName}/3");
        await cluster.PassUntilAsync(work, () => a.Partitions.Led.Count == 11, Cluster.LeaseDuration, "its lease is lost");

        var at = cluster.Time.GetUtcNow();
        var draining = a.Host.Services.GetRequiredService<NodeDrain>().DrainAsync(Token);
        await cluster.PassUntilAsync(work, () => draining.IsCompletedSuccessfully, TimeSpan.FromMinutes(2), "a is drained");
        Assert.True(cluster.Time.GetUtcNow() - at < NodeDrain.Patience / 2, $"It took {cluster.Time.GetUtcNow() - at}.");
        Assert.Equal(("3", 0), (Assert.Single(work.Now.Keys).Partition, a.Logged(PassesOverLine)));
        letGo.SetResult();
    }

    [Fact]
    [Promise("G10", "G14")]
    [Failure("F24")]
    public async Task Work_of_a_partition_that_does_not_return_holds_up_the_others_for_a_minute()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var letGo = new TaskCompletionSource();
        work.Do["3"] = (_, _) => letGo.Task;
        var a = await cluster.StartPartitionNodeAsync("a", work);
        await cluster.SharedAsync(work, (a, 12));

        // Before it, in their order, come 0, 1, 10, 11 and 2.
        var draining = a.Host.Services.GetRequiredService<NodeDrain>().DrainAsync(Token);
        await cluster.PassUntilAsync(work, () => work.Running == 7, TimeSpan.FromMinutes(1), "those before it have ended");
        var at = cluster.Time.GetUtcNow();
        await cluster.PassUntilAsync(work, () => work.Running < 7, TimeSpan.FromMinutes(3), "the next one has ended");
        Assert.InRange(cluster.Time.GetUtcNow() - at, NodeDrain.Patience - TimeSpan.FromSeconds(2), NodeDrain.Patience + TimeSpan.FromSeconds(10));
        await cluster.PassUntilAsync(work, () => work.Running == 1, TimeSpan.FromMinutes(1), "all others have ended");
        Assert.Equal((false, 1, LeaseState.Held), (draining.IsCompleted, a.Logged(PassesOverLine), work.Now.Keys.Single().State));
        Assert.Contains($"{SharedService.LockName}/3", a.Log.First(static record => record.Id.Id == PassesOverLine).Message, StringComparison.Ordinal);
        letGo.SetResult();
        await cluster.PassUntilAsync(work, () => draining.IsCompletedSuccessfully, TimeSpan.FromMinutes(1), "a is drained");
    }

    [Fact]
    [Promise("G14")]
    public async Task A_node_that_may_not_lead_is_no_member_until_it_may()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var a = await cluster.StartPartitionNodeAsync("a", work, configure: static options => options.CanLead = false);
        await cluster.PassAsync(work, 5 * PartitionNode.BalanceInterval);
        Assert.Equal((false, 0, 1, 0), (a.Partitions.CanLead, work.Terms.Count, a.Logged(TakesNoPartLine), a.Logged(TakesPartLine)));
        var b = await cluster.StartPartitionNodeAsync("b", work);
        await cluster.SharedAsync(work, (a, 0), (b, 12));

        // It sees who leads what all the same.
        await cluster.PassUntilAsync(work, () => a.Partitions.FindNode("3") == b.NodeId, TimeSpan.FromMinutes(1), "a sees b");
        Assert.Equal((0, 12), (a.Partitions.Share, a.Partitions.PartitionCount));

        a.Partitions.SetCanLead(true);
        await cluster.SharedAsync(work, (a, 6), (b, 6));
        a.Partitions.SetCanLead(null);
        await cluster.SharedAsync(work, (a, 0), (b, 12));
        Assert.Equal((false, 2), (a.Partitions.CanLead, a.Logged(TakesNoPartLine)));
        Assert.Empty(work.Wrongs);
        AssertQuiet(a, b);
    }

    [Fact]
    [Promise("G14")]
    [Failure("F84")]
    public async Task The_configuration_says_while_the_host_runs_whether_a_node_leads()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("Coordination:Drain", "true"), new("Coordination:Services:SharedService:Partitions", "12")]).Build();
        var a = cluster.CreateNode("a", services =>
        {
            services.AddSingleton(work).AddSingleton(new PartitionNames()).AddSingleton<IConfiguration>(configuration);
            services.AddPartitionedBackgroundService<SharedService>();
        });
        await a.Host.StartAsync(Token);
        var drain = a.Host.Services.GetRequiredService<NodeDrain>();
        await cluster.PassAsync(work, 3 * PartitionNode.BalanceInterval);
        Assert.Equal((true, 0, 1), (drain.IsDrained, work.Terms.Count, a.Logged(TakesNoPartLine)));

        Set("Coordination:Drain", "false");
        await cluster.SharedAsync(work, (a, 12));
        Set("Coordination:Services:SharedService:CanLead", "false");
        await cluster.SharedAsync(work, (a, 0));
        Set("Coordination:Services:SharedService:CanLead", "true");
        await cluster.SharedAsync(work, (a, 12));
        Set("Coordination:Drain", "true");
        await cluster.SharedAsync(work, (a, 0));
        await cluster.PassUntilAsync(work, () => drain.IsDrained, TimeSpan.FromMinutes(1), "a is drained");
        Assert.Empty(work.Wrongs);
        AssertQuiet(a);

        void Set(string key, string value)
        {
            configuration[key] = value;
            configuration.Reload();
        }
    }

    private static void AssertQuiet(params TestNode[] nodes) => Assert.All(nodes, static node => Assert.DoesNotContain(node.Log, static record => record.Level >= LogLevel.Warning));

    /// <summary>Work that does not return on one node when it is told to stop, but one for each time that it is let go.</summary>
    private sealed class HeldWork : IDisposable
    {
        private readonly ConcurrentQueue<TaskCompletionSource> _held = [];
        private int _told;

        public HeldWork(PartitionWorkOfAll work)
        {
            for (var i = 0; i < 12; i++)
            {
                work.Do[$"{i}"] = DoAsync;
            }
        }

        /// <summary>The node; null for none.</summary>
        public string? NodeId { get; set; }

        /// <summary>How many were told to stop on that node.</summary>
        public int Told => Volatile.Read(ref _told);

        /// <summary>Lets the one go that was told first.</summary>
        public void LetGo()
        {
            if (_held.TryDequeue(out var letGo))
            {
                letGo.SetResult();
            }
        }

        /// <summary>Holds nothing any more, so that the nodes can stop.</summary>
        public void Dispose()
        {
            NodeId = null;
            while (!_held.IsEmpty)
            {
                LetGo();
            }
        }

        private async Task DoAsync(ExclusiveTerm term, CancellationToken stoppingToken)
        {
            await Task.Delay(Timeout.Infinite, stoppingToken).ContinueWith(static _ => { }, TaskScheduler.Default);
            if (term.Owner.NodeId == NodeId)
            {
                var letGo = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _held.Enqueue(letGo);
                Interlocked.Increment(ref _told);
                await letGo.Task;
            }
        }
    }
}
