using Coordination.Hosting.Tests.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Coordination.Hosting.Tests.Periodic;

/// <summary>Work that is done once in each interval, in the cluster.</summary>
[Failure("F67")]
public sealed class PeriodicTests
{
    private static readonly TimeSpan Interval = PeriodicNode.Interval;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Promise("G11")]
    public async Task Each_interval_is_run_once_in_the_cluster()
    {
        await using var cluster = new Cluster();
        var nodes = new[] { await StartAsync(cluster, "a"), await StartAsync(cluster, "b"), await StartAsync(cluster, "c") };
        for (var slot = 1; slot <= 5; slot++)
        {
            await Cluster.UntilAsync(() => All(nodes).Length == slot && nodes.Sum(node => node.Node.Logged(1221)) == slot, $"the run of slot {slot} has ended");
            await PassAsync(cluster, slot < 5 ? Interval : Interval / 2);
        }

        var runs = All(nodes);
        Assert.Equal(5, runs.Length);
        Assert.Equal(
            Enumerable.Range(0, 5).Select(slot => (DateTimeOffset?)(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero) + (slot * Interval))),
            runs.Select(run => run.ScheduledFor));
        Assert.Equal(runs.Select(run => run.Lease.FencingToken).Order(), runs.Select(run => run.Lease.FencingToken).Distinct());
        Assert.All(runs, run => Assert.False(run.IsRecovery));
    }

    [Fact]
    [Promise("G11", "G13")]
    [Failure("F70")]
    public async Task Two_applications_on_one_store_run_each_interval_of_their_own()
    {
        await using var cluster = new Cluster();
        var shop = await StartAsync(cluster, "a", coordination: o => o.ApplicationName = "shop");
        var warehouse = await StartAsync(cluster, "b", coordination: o => o.ApplicationName = "warehouse");
        await Cluster.UntilAsync(() => shop.Runs.All.Count == 1 && warehouse.Runs.All.Count == 1, "both run the slot in which they start");
        Assert.Equal(["shop", "warehouse"], All([shop, warehouse]).Select(run => run.Lease.LockName.Split('/')[0]).Order());
    }

    [Fact]
    [Promise("G11")]
    public async Task A_restart_repeats_nothing_and_drops_nothing()
    {
        await using var cluster = new Cluster();
        var first = await StartAsync(cluster, "a");
        await Cluster.UntilAsync(() => first.Runs.All.Count == 1, "the slot in which the node starts is run");
        await first.Node.StopAsync();

        cluster.Time.Advance(TimeSpan.FromMinutes(1));
        var again = await StartAsync(cluster, "a");
        await PassAsync(cluster, Interval / 2);
        Assert.Empty(again.Runs.All);

        await again.Node.StopAsync();
        cluster.Time.Advance(5 * Interval);
        var last = await StartAsync(cluster, "a");
        await Cluster.UntilAsync(() => last.Runs.All.Count == 1, "the last of the slots that passed is run");
        await PassAsync(cluster, Interval / 4);
        Assert.Single(last.Runs.All);
    }

    [Theory]
    [Promise("G11")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_run_whose_node_lost_its_lease_is_repeated_by_another_unless_it_must_not(bool recover)
    {
        await using var cluster = new Cluster();
        var a = await StartAsync(cluster, "a", o => o.RecoverInterrupted = recover, (_, stop) => Task.Delay(Timeout.Infinite, stop));
        await Cluster.UntilAsync(() => a.Runs.All.Count == 1, "a runs");
        var b = await StartAsync(cluster, "b", o => o.RecoverInterrupted = recover);

        a.Node.Store.Fault = new LockStoreException("away", isTransient: true);
        await cluster.AdvanceUntilAsync(() => a.Node.Logged(1223) == 1, 2 * Cluster.LeaseDuration, "a has lost its lease");
        if (recover)
        {
            await cluster.AdvanceUntilAsync(() => b.Runs.All.Count == 1, Interval / 2, "b runs");
            Assert.True(b.Runs.All.Single().IsRecovery);
            Assert.Equal(a.Runs.All.Single().ScheduledFor, b.Runs.All.Single().ScheduledFor);
        }
        else
        {
            await PassAsync(cluster, TimeSpan.FromMinutes(2));
            Assert.Empty(b.Runs.All);
        }
    }

    [Fact]
    [Promise("G10", "G11")]
    public async Task A_run_that_a_stop_interrupts_is_awaited_and_taken_over_at_once()
    {
        await using var cluster = new Cluster();
        var tidy = new TaskCompletionSource();
        var a = await StartAsync(cluster, "a", work: async (_, stop) =>
        {
            await Task.Delay(Timeout.Infinite, stop).ContinueWith(_ => { }, TaskScheduler.Default);
            await tidy.Task;
            stop.ThrowIfCancellationRequested();
        });
        await Cluster.UntilAsync(() => a.Runs.All.Count == 1, "a runs");
        var b = await StartAsync(cluster, "b");
        await IsWaitedForAsync(cluster);

        var stop = a.Node.StopAsync();
        Assert.False(stop.IsCompleted);
        Assert.NotNull(await cluster.HolderAsync(CountingService.LockName));
        Assert.Empty(b.Runs.All);
        tidy.SetResult();
        await stop;

        await Cluster.UntilAsync(() => b.Runs.All.Count == 1, "b runs while the clock stands still");
        Assert.Equal(a.Runs.All.Single().ScheduledFor, b.Runs.All.Single().ScheduledFor);
        Assert.Equal(0, a.Node.Logged(1222));
    }

    [Fact]
    public async Task A_run_that_throws_is_over_and_the_next_interval_tries_again()
    {
        await using var cluster = new Cluster();
        var a = await StartAsync(cluster, "a", work: (_, _) => throw new InvalidOperationException("it broke"));
        await Cluster.UntilAsync(() => a.Node.Logged(1222) == 1, "the failure is logged");
        await PassAsync(cluster, Interval / 2);
        Assert.Single(a.Runs.All);
        await PassAsync(cluster, Interval / 2);
        await Cluster.UntilAsync(() => a.Runs.All.Count == 2, "the next run");
    }

    [Fact]
    [Promise("G12")]
    public async Task An_outage_delays_a_run_and_drops_none()
    {
        await using var cluster = new Cluster();
        var a = await StartAsync(cluster, "a");
        await Cluster.UntilAsync(() => a.Runs.All.Count == 1, "the first run");
        a.Node.Store.Fault = new LockStoreException("away", isTransient: true);
        await PassAsync(cluster, Interval + TimeSpan.FromSeconds(30));
        Assert.Single(a.Runs.All);

        a.Node.Store.Fault = null;
        await cluster.AdvanceUntilAsync(() => a.Runs.All.Count == 2, TimeSpan.FromMinutes(2), "the run after the outage", TimeSpan.FromMilliseconds(250));
    }

    /// <summary>What the node may have been granted is undone for as long as a stop may take.</summary>
    [Fact]
    [Promise("G12")]
    [Failure("F61")]
    public async Task A_host_that_is_stopped_in_an_outage_ends()
    {
        await using var cluster = new Cluster();
        var a = await StartAsync(cluster, "a");
        await Cluster.UntilAsync(() => a.Runs.All.Count == 1, "the first run");
        a.Node.Store.Fault = new LockStoreException("away", isTransient: true);
        await PassAsync(cluster, Interval);

        await cluster.EndAsync(a.Node);
    }

    [Fact]
    [Promise("G1")]
    public async Task A_run_that_is_triggered_comes_beside_the_schedule_and_never_beside_another_run()
    {
        await using var cluster = new Cluster();
        var ends = new TaskCompletionSource();
        var a = await StartAsync(cluster, "a", work: (_, _) => ends.Task);
        await Cluster.UntilAsync(() => a.Runs.All.Count == 1, "a runs");
        var b = await StartAsync(cluster, "b");
        var trigger = b.Node.Host.Services.GetRequiredService<IPeriodicTrigger<CountingService>>();

        var triggered = trigger.RunNowAsync(Token);
        await IsWaitedForAsync(cluster);
        Assert.Empty(b.Runs.All);
        ends.SetResult();
        await triggered.WaitAsync(TimeSpan.FromMinutes(1), Token);
        Assert.Null(Assert.Single(b.Runs.All).ScheduledFor);

        b.Runs.Do = (_, _) => throw new InvalidOperationException("it broke");
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => trigger.RunNowAsync(Token));
        Assert.Equal("it broke", error.Message);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => trigger.RunNowAsync(new CancellationToken(canceled: true)));
    }

    [Fact]
    public async Task A_run_has_a_scope_of_its_own()
    {
        await using var cluster = new Cluster();
        Scoped? seen = null;
        var a = await StartAsync(cluster, "a", work: (run, _) =>
        {
            seen = run.Services.GetRequiredService<Scoped>();
            Assert.False(seen.IsDisposed);
            return Task.CompletedTask;
        });
        await Cluster.UntilAsync(() => a.Node.Logged(1221) == 1, "the run has ended");
        Assert.True(seen!.IsDisposed);
    }

    [Theory]
    [InlineData("00:00:00", "00:00:00", "Interval is 00:00:00")]
    [InlineData("200.00:00:00", "00:00:00", "Interval is 200.00:00:00")]
    [InlineData("00:10:00", "00:10:00", "Jitter is 00:10:00")]
    [InlineData("00:10:00", "-00:00:01", "Jitter is -00:00:01")]
    public async Task What_cannot_be_is_refused_at_the_start(string interval, string jitter, string said)
    {
        await using var cluster = new Cluster();
        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => StartAsync(cluster, "a", o =>
        {
            o.Interval = TimeSpan.Parse(interval, System.Globalization.CultureInfo.InvariantCulture);
            o.Jitter = TimeSpan.Parse(jitter, System.Globalization.CultureInfo.InvariantCulture);
        }));
        Assert.Contains(said, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Failure("F70")]
    public async Task A_lock_that_a_service_holds_for_good_is_refused_at_the_start()
    {
        await using var cluster = new Cluster();
        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => PeriodicNode.StartAsync(
            cluster, "a", o => o.LockName = WorkingService.LockName, services: services => services.AddExclusiveBackgroundService<WorkingService>()));
        Assert.Contains(WorkingService.LockName, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Failure("F64")]
    public async Task A_lease_that_would_end_under_a_run_is_refused_at_the_start()
    {
        await using var cluster = new Cluster();
        var options = new LockOptions { MaxHold = TimeSpan.FromMinutes(1) };
        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => StartAsync(cluster, "a", o => o.LockOptions = options));
        Assert.Contains("MaxHold", error.Message, StringComparison.Ordinal);
    }

    private static Task<(TestNode Node, Runs Runs)> StartAsync(
        Cluster cluster, string name, Action<ExclusivePeriodicOptions>? configure = null, Func<PeriodicRun, CancellationToken, Task>? work = null, Action<CoordinationOptions>? coordination = null) =>
        PeriodicNode.StartAsync(cluster, name, configure, work, services => services.AddScoped<Scoped>().Configure(coordination ?? (static _ => { })));

    private static Task PassAsync(Cluster cluster, TimeSpan time) => PeriodicNode.PassAsync(cluster, time);

    private static Task IsWaitedForAsync(Cluster cluster) => PeriodicNode.IsWaitedForAsync(cluster);

    private static PeriodicRun[] All((TestNode Node, Runs Runs)[] nodes) => [.. nodes.SelectMany(node => node.Runs.All).OrderBy(run => run.ScheduledFor)];

    private sealed class Scoped : IDisposable
    {
        public bool IsDisposed { get; private set; }

        public void Dispose() => IsDisposed = true;
    }
}
