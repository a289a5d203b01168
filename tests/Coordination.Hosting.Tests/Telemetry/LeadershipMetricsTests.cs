using System.Diagnostics.Metrics;
using Coordination.Hosting.Tests.Nodes;
using Coordination.Hosting.Tests.Periodic;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;

namespace Coordination.Hosting.Tests.Telemetry;

/// <summary>F85: what the metrics tell of leadership.</summary>
public sealed class LeadershipMetricsTests
{
    private const string LockTag = "coordination.lock.name";

    [Fact]
    [Failure("F85")]
    public async Task Whether_this_node_leads_is_told_for_each_lock()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a");
        await a.LeadsAsync();
        var b = await cluster.StartNodeAsync("b", services: services => services.AddExclusiveBackgroundService<WorkingService>("north", o => o.LockName = "north"));
        await Cluster.UntilAsync(() => b.Leadership.Leader is not null && b.Host.Services.GetRequiredKeyedService<ILeadership>("north").IsLeader, "b stands by, and leads in the north");
        Assert.Equal([(WorkingService.LockName, 1)], Gauge(a, "leader"));
        Assert.Equal([(WorkingService.LockName, 0), ("north", 1)], Gauge(b, "leader"));

        await a.StopAsync();
        await b.LeadsAsync();
        await Cluster.UntilAsync(() => b.Leadership.IsLeader, "b leads");
        Assert.Equal([(WorkingService.LockName, 0)], Gauge(a, "leader"));
        Assert.Equal([(WorkingService.LockName, 1), ("north", 1)], Gauge(b, "leader"));
    }

    [Fact]
    [Failure("F85")]
    public async Task Terms_are_counted_by_their_end_and_failures_in_a_row_are_told()
    {
        await using var cluster = new Cluster();
        var work = new Work();
        work.Do = (_, _) => work.Terms < 3 ? throw new InvalidOperationException("The work failed.") : work.UntilLetGoAsync(work.Term, CancellationToken.None);
        var a = await cluster.StartNodeAsync("a", work: work);
        await cluster.AdvanceUntilAsync(() => work.Terms == 3, TimeSpan.FromMinutes(1), "two terms have failed");
        Assert.Equal([("failed", 2L)], Terms(a));
        Assert.Equal([(WorkingService.LockName, 2)], Gauge(a, "failures"));
        Assert.Equal([(WorkingService.LockName, 0)], Gauge(a, "overdue"));

        var told = work.Term;
        cluster.Store.Delete(WorkingService.LockName);
        await cluster.AdvanceUntilAsync(() => Gauge(a, "overdue").Single().Value == 1, TimeSpan.FromMinutes(1), "the work that ignores its token is overdue");
        Assert.Equal([(WorkingService.LockName, 0)], Gauge(a, "leader"));
        Assert.Equal(LeaseState.Lost, told.State);
    }

    [Fact]
    [Failure("F85")]
    public async Task Each_way_to_end_a_term_is_counted_as_what_it_is()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a");
        await a.LeadsAsync();
        a.Work.Term.StepDown();
        await Cluster.UntilAsync(() => a.Work.Terms == 2 && a.Work.IsRunning, "it leads again");
        cluster.Store.Delete(WorkingService.LockName);
        await cluster.AdvanceUntilAsync(() => a.Work.Terms == 3 && a.Work.IsRunning, TimeSpan.FromMinutes(1), "it leads again after a loss");
        using var terms = new MetricCollector<long>(a.Host.Services.GetRequiredService<IMeterFactory>(), CoordinationInstrumentation.MeterName, "coordination.leadership.terms");
        await a.StopAsync();
        Assert.Equal([("lost", 1L), ("stepped_down", 1L), ("stopped", 1L)], Read(terms));
    }

    [Fact]
    [Failure("F35", "F85")]
    public async Task A_listener_that_throws_at_the_instruments_keeps_no_node_from_leading()
    {
        using var own = new OwnMeters();
        var thrown = 0;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Scope == own && instrument.Name.StartsWith("coordination.leadership.", StringComparison.Ordinal))
                {
                    thrown++;
                    throw new InvalidOperationException("The sink is broken.");
                }
            },
        };
        listener.Start();
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a", services: services => services.AddSingleton<IMeterFactory>(own));
        await a.LeadsAsync();
        Assert.Equal(5, thrown);
    }

    [Fact]
    [Failure("F85")]
    public async Task A_node_that_waits_for_a_run_of_another_stands_by_and_is_no_call_of_user_code()
    {
        await using var cluster = new Cluster();
        var a = await PeriodicNode.StartAsync(cluster, "a", work: (_, stop) => Task.Delay(Timeout.Infinite, stop));
        await Cluster.UntilAsync(() => a.Runs.All.Count == 1, "a runs");
        var (b, _) = await PeriodicNode.StartAsync(cluster, "b");
        await PeriodicNode.IsWaitedForAsync(cluster);
        using var waiting = new MetricCollector<long>(b.Host.Services.GetRequiredService<IMeterFactory>(), CoordinationInstrumentation.MeterName, "coordination.call.waiting");
        waiting.RecordObservableInstruments();
        var calls = waiting.GetMeasurementSnapshot().ToDictionary(measured => (string)measured.Tags["coordination.call.kind"]!, measured => measured.Value);
        Assert.Equal((0, 1), (calls["user"], calls["standby"]));
    }

    private static List<(string Lock, int Value)> Gauge(TestNode node, string name)
    {
        using var gauge = new MetricCollector<int>(node.Host.Services.GetRequiredService<IMeterFactory>(), CoordinationInstrumentation.MeterName, $"coordination.leadership.{name}");
        gauge.RecordObservableInstruments();
        return [.. gauge.GetMeasurementSnapshot().Select(measured => ((string)measured.Tags[LockTag]!, measured.Value))];
    }

    private static List<(string End, long Count)> Terms(TestNode node)
    {
        using var terms = new MetricCollector<long>(node.Host.Services.GetRequiredService<IMeterFactory>(), CoordinationInstrumentation.MeterName, "coordination.leadership.terms");
        return Read(terms);
    }

    private static List<(string End, long Count)> Read(MetricCollector<long> terms)
    {
        terms.RecordObservableInstruments();
        var measured = terms.GetMeasurementSnapshot();
        Assert.All(measured, each => Assert.Equal(WorkingService.LockName, each.Tags[LockTag]));
        return [.. measured.Select(each => ((string)each.Tags["coordination.term.end"]!, each.Value)).Order()];
    }

    /// <summary>The meters of one host, whose listener minds those of no other test.</summary>
    private sealed class OwnMeters : IMeterFactory
    {
        public Meter Create(MeterOptions options) => new(options.Name, options.Version, options.Tags, scope: this);

        public void Dispose()
        {
        }
    }
}
