using System.Globalization;
using Coordination.Hosting.Tests.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;

namespace Coordination.Hosting.Tests.Services;

/// <summary>What happens when a leader loses its lease, and when the store is away.</summary>
public sealed class LossTests
{
    private static readonly TimeSpan SafetyMargin = Cluster.LeaseDuration / 5;

    [Fact]
    [Failure("F24")]
    public async Task Work_that_ignores_the_loss_is_overdue_until_it_returns_and_does_not_contend()
    {
        await using var cluster = new Cluster();
        var ignoring = new Work();
        ignoring.Do = ignoring.UntilLetGoAsync;
        var a = await cluster.StartNodeAsync("a", services: s => s.AddHealthChecks().AddCoordinationHealthCheck(), work: ignoring);
        await a.LeadsAsync();
        var b = await cluster.StartNodeAsync("b");
        await b.StandsByAsync();

        await LoseAsync(cluster, a);
        Assert.False(a.Leadership.IsLeader);
        Assert.Equal(0, a.Logged(1205));
        Assert.Equal(HealthStatus.Healthy, (await a.CheckHealthAsync()).Status);

        // Overdue from the safety margin on, which is when another node may lead; then warned of every 10 s.
        await cluster.AdvanceUntilAsync(() => a.Logged(1205) == 1, 3 * SafetyMargin, "a is warned of");
        Assert.True(a.TimesOf(1205)[0] - a.TimesOf(1203)[0] >= SafetyMargin);
        Assert.Equal(LogLevel.Warning, a.Log.First(record => record.Id.Id == 1205).Level);
        Assert.Equal(HealthStatus.Unhealthy, (await a.CheckHealthAsync()).Status);
        await cluster.AdvanceUntilAsync(() => a.Logged(1205) > 1, TimeSpan.FromSeconds(20), "a is warned of again");
        Assert.True(a.TimesOf(1205)[1] - a.TimesOf(1205)[0] >= TimeSpan.FromSeconds(10));

        await cluster.AdvanceUntilAsync(() => b.Work.IsRunning, TimeSpan.FromSeconds(20), "b leads, although a still works");
        Assert.True(b.Work.Term.FencingToken > a.Work.Term.FencingToken);
        await b.StopAsync();
        Assert.Equal(1, a.Work.Terms);
        Assert.Null(await cluster.HolderAsync(WorkingService.LockName));

        a.Work.Do = Work.UntilToldAsync;
        a.Work.LetGo();
        await Cluster.UntilAsync(() => a.Leadership.IsLeader && a.Work.Terms == 2, "a leads again");
        Assert.Equal(HealthStatus.Healthy, (await a.CheckHealthAsync()).Status);
    }

    [Fact]
    [Failure("F24")]
    public async Task By_option_overdue_work_stops_the_host()
    {
        await using var cluster = new Cluster();
        var ignoring = new Work();
        ignoring.Do = ignoring.UntilLetGoAsync;
        var a = await cluster.StartNodeAsync(
            "a",
            o =>
            {
                o.OnOverdue = OverdueAction.StopHost;
                o.OverdueAfter = TimeSpan.FromSeconds(1);
            },
            work: ignoring);
        await a.LeadsAsync();
        await LoseAsync(cluster, a);
        Assert.False(a.Lifetime.ApplicationStopping.IsCancellationRequested);
        await cluster.AdvanceUntilAsync(() => a.Lifetime.ApplicationStopping.IsCancellationRequested, TimeSpan.FromSeconds(10), "the host stops");
        Assert.Equal(1, a.Logged(1206));
    }

    [Fact]
    [Failure("F26")]
    public async Task A_node_contends_again_after_every_loss()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a");
        var token = 0L;
        for (var term = 1; term <= 5; term++)
        {
            await Cluster.UntilAsync(() => a.Work.Terms == term && a.Leadership.IsLeader, $"a leads for the {term}. time");
            Assert.True(a.Work.Term.FencingToken > token);
            token = a.Work.Term.FencingToken;
            await LoseAsync(cluster, a);
        }

        await Cluster.UntilAsync(() => a.Work.Terms == 6, "a leads again");
        Assert.Equal(5, a.Logged(1203));
    }

    [Fact]
    [Promise("G12")]
    public async Task With_the_store_away_a_leader_works_until_its_deadline_and_leads_again_after_it()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a");
        await a.LeadsAsync();
        var lease = a.Work.Term;

        a.Store.Fault = StoreWithFaults.Away;
        await cluster.AdvanceAsync(Cluster.LeaseDuration - SafetyMargin - TimeSpan.FromMilliseconds(500));
        Assert.True(a.Work.IsRunning);
        Assert.True(a.Leadership.IsLeader);
        Assert.False(a.Work.WasTold);

        await cluster.AdvanceAsync(TimeSpan.FromMilliseconds(500));
        await Cluster.UntilAsync(() => lease.Lost.IsCancellationRequested && !a.Work.IsRunning, "a is told that it lost the lock");
        await cluster.AdvanceAsync(TimeSpan.FromMinutes(10));
        Assert.Equal(1, a.Work.Terms);

        a.Store.Fault = null;
        await cluster.AdvanceUntilAsync(() => a.Work.Terms >= 2, TimeSpan.FromSeconds(20), "a leads again");
        Assert.False(a.Lifetime.ApplicationStopping.IsCancellationRequested);
    }

    [Fact]
    [Promise("G12")]
    public async Task A_host_starts_with_the_store_away_and_leads_when_it_comes()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a", fault: StoreWithFaults.Away);
        await Cluster.UntilAsync(() => a.Store.Tries > 0, "a asks");
        await cluster.AdvanceAsync(TimeSpan.FromMinutes(5));
        Assert.Null(a.Leadership.Leader);

        a.Store.Fault = null;
        await cluster.AdvanceUntilAsync(() => a.Work.IsRunning, TimeSpan.FromSeconds(20), "a leads");

        // Asked and refused many times, and said so in a few lines.
        Assert.True(a.Log.Count(record => record.Level >= LogLevel.Warning) < 15);
        Assert.DoesNotContain(a.Log, record => record.ToString().Contains("hunter2", StringComparison.Ordinal));
    }

    [Fact]
    [Promise("G12")]
    [Failure("F26")]
    public async Task A_store_that_refuses_for_good_is_asked_until_it_is_repaired_and_told_of_once()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a", fault: new LockStoreException("The server refuses the password. Check the connection string.", new InvalidOperationException("password=hunter2")));
        await cluster.AdvanceUntilAsync(() => a.Store.Tries > 8, TimeSpan.FromMinutes(20), "a asks again and again", TimeSpan.FromSeconds(5));
        Assert.Equal(1, a.Logged(1207));
        Assert.DoesNotContain(a.Log, record => record.ToString().Contains("hunter2", StringComparison.Ordinal));

        a.Store.Fault = null;
        await cluster.AdvanceUntilAsync(() => a.Work.IsRunning, TimeSpan.FromMinutes(2), "a leads", TimeSpan.FromSeconds(5));
    }

    [Fact]
    [Failure("F26")]
    public async Task A_store_that_throws_what_it_should_not_ends_nothing()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a", fault: new InvalidOperationException("a bug"));
        await cluster.AdvanceUntilAsync(() => a.Store.Tries > 4, TimeSpan.FromMinutes(20), "a asks again and again", TimeSpan.FromSeconds(5));

        a.Store.Fault = null;
        await cluster.AdvanceUntilAsync(() => a.Work.IsRunning, TimeSpan.FromMinutes(2), "a leads", TimeSpan.FromSeconds(5));
    }

    /// <summary>Has the lock deleted, and waits until the holder learns of it, at its next renewal.</summary>
    private static async Task LoseAsync(Cluster cluster, TestNode node)
    {
        var lease = node.Work.Term;
        Assert.True(cluster.Store.Delete(WorkingService.LockName));
        await cluster.AdvanceUntilAsync(() => lease.Lost.IsCancellationRequested, TimeSpan.FromSeconds(12), "the lease is lost");
        var token = lease.FencingToken.ToString(CultureInfo.InvariantCulture);
        await Cluster.UntilAsync(
            () => node.Log.Any(record => record.Id.Id == 1203 && record.GetStructuredStateValue("FencingToken") == token),
            "the node takes note of the loss");
    }
}
