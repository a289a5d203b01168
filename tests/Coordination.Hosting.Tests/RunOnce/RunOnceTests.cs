using Coordination.Hosting.Tests.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Coordination.Hosting.Tests.RunOnce;

/// <summary>Work that one node does once, before its host counts as started.</summary>
[Failure("F67")]
public sealed class RunOnceTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);

    private int _runs;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Promise("G11")]
    public async Task Of_three_hosts_one_does_it_and_the_others_start_when_it_is_done()
    {
        await using var cluster = new Cluster();
        var ends = new TaskCompletionSource();
        var nodes = Enumerable.Range(0, 3).Select(number => Create(cluster, $"node{number}", (_, _) =>
        {
            Interlocked.Increment(ref _runs);
            return ends.Task;
        })).ToArray();

        var starts = nodes.Select(node => node.Host.StartAsync(Token)).ToArray();
        await Cluster.UntilAsync(() => nodes.Count(node => node.Store.IsQueued) == 2, "two wait");
        Assert.DoesNotContain(starts, start => start.IsCompleted);
        Assert.DoesNotContain(nodes, node => node.Lifetime.ApplicationStarted.IsCancellationRequested);
        ends.SetResult();
        await Task.WhenAll(starts).WaitAsync(TimeSpan.FromMinutes(1), Token);

        Assert.Equal(1, _runs);
        Assert.Equal(1, nodes.Sum(node => node.Logged(1231)));
        Assert.Equal(2, nodes.Sum(node => node.Logged(1232)));
    }

    [Fact]
    [Promise("G11")]
    public async Task Done_stays_done_for_a_name_and_for_as_long_as_it_is_remembered()
    {
        await using var cluster = new Cluster();
        await StartAsync("a", "schema-1");
        await StartAsync("b", "schema-1");
        Assert.Equal(1, _runs);

        await StartAsync("c", "schema-2");
        Assert.Equal(2, _runs);

        cluster.Time.Advance(TimeSpan.FromDays(29));
        await StartAsync("d", "schema-1");
        Assert.Equal(2, _runs);

        cluster.Time.Advance(TimeSpan.FromDays(2));
        await StartAsync("e", "schema-1");
        Assert.Equal(3, _runs);

        async Task StartAsync(string node, string name)
        {
            await using var host = Create(cluster, node, (_, _) => Task.FromResult(Interlocked.Increment(ref _runs)), name, o => o.RememberFor = TimeSpan.FromDays(30));
            await host.Host.StartAsync(Token);
        }
    }

    [Fact]
    public async Task A_host_whose_work_throws_does_not_start_and_another_tries()
    {
        await using var cluster = new Cluster();
        var a = Create(cluster, "a", (_, _) => throw new InvalidOperationException("it broke"));
        var b = Create(cluster, "b", (_, _) => Task.FromResult(Interlocked.Increment(ref _runs)));

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => a.Host.StartAsync(Token));
        Assert.Equal("it broke", error.Message);
        await b.Host.StartAsync(Token);
        Assert.Equal(1, _runs);
    }

    [Fact]
    [Promise("G11")]
    public async Task When_a_node_loses_its_lease_in_the_middle_another_does_it_over_and_knows()
    {
        await using var cluster = new Cluster();
        var a = Create(cluster, "a", (_, stop) => Task.Delay(Timeout.Infinite, stop));
        var isRecovery = false;
        var b = Create(cluster, "b", (run, _) =>
        {
            isRecovery = run.IsRecovery;
            return Task.CompletedTask;
        });
        var first = a.Host.StartAsync(Token);
        await Cluster.UntilAsync(() => a.Logged(1230) == 1, "a does it");
        var second = b.Host.StartAsync(Token);

        a.Store.Fault = new LockStoreException("away", isTransient: true);
        await cluster.AdvanceUntilAsync(() => second.IsCompleted, 2 * Cluster.LeaseDuration, "b has done it");
        await second;
        Assert.True(isRecovery);
        Assert.False(first.IsCompleted);

        a.Store.Fault = null;
        await cluster.AdvanceUntilAsync(() => first.IsCompleted, 2 * Cluster.LeaseDuration, "a finds it done");
        await first;
    }

    [Fact]
    [Failure("F88")]
    public async Task A_stop_during_the_start_is_no_error_and_another_node_does_the_work()
    {
        await using var cluster = new Cluster();
        var a = Create(cluster, "a", (_, stop) => Task.Delay(Timeout.Infinite, stop));
        var b = Create(cluster, "b", (_, _) => Task.FromResult(Interlocked.Increment(ref _runs)));
        var first = a.Host.StartAsync(Token);
        await Cluster.UntilAsync(() => a.Logged(1230) == 1, "a does it");

        a.Lifetime.StopApplication();
        await Record.ExceptionAsync(() => first.WaitAsync(Bound, Token));
        await b.Host.StartAsync(Token);

        Assert.Equal(1, _runs);
        Assert.Equal(1, a.Logged(1235));
        Assert.DoesNotContain(a.Log, record => record.Level >= LogLevel.Warning && record.Category!.Contains("RunOnce", StringComparison.Ordinal));
    }

    [Theory]
    [Failure("F88")]
    [InlineData("by HostOptions.StartupTimeout")]
    [InlineData("by the caller")]
    public async Task A_host_whose_start_is_cancelled_does_not_start_without_the_work(string how)
    {
        await using var cluster = new Cluster();
        using var cancellation = new CancellationTokenSource();
        var a = cluster.CreateNode("a", services =>
        {
            services.AddRunOnce("schema", (_, stop) => Task.Delay(Timeout.Infinite, stop));
            if (how != "by the caller")
            {
                services.Configure<HostOptions>(o => o.StartupTimeout = TimeSpan.FromSeconds(3));
            }
        });
        var start = a.Host.StartAsync(cancellation.Token);
        if (how == "by the caller")
        {
            await Cluster.UntilAsync(() => a.Logged(1230) == 1, "a does it");
            await cancellation.CancelAsync();
        }

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => start.WaitAsync(Bound, Token));
        Assert.False(a.Lifetime.ApplicationStarted.IsCancellationRequested);
        Assert.Equal(1, a.Logged(1235));
    }

    [Fact]
    [Promise("G11")]
    [Failure("F90")]
    public async Task Work_that_returns_because_it_is_told_to_stop_is_not_done()
    {
        await using var cluster = new Cluster();
        var a = Create(cluster, "a", (_, stop) => Task.Delay(Timeout.Infinite, stop).ContinueWith(_ => { }, TaskScheduler.Default));
        var isRecovery = false;
        var b = Create(cluster, "b", (run, _) => Task.FromResult(isRecovery = run.IsRecovery));
        var first = a.Host.StartAsync(Token);
        await Cluster.UntilAsync(() => a.Logged(1230) == 1, "a does it");

        a.Lifetime.StopApplication();
        await Record.ExceptionAsync(() => first.WaitAsync(Bound, Token));
        await b.Host.StartAsync(Token).WaitAsync(Bound, Token);
        Assert.Equal((0, 1), (a.Logged(1231), b.Logged(1231)));
        Assert.True(isRecovery);
    }

    [Fact]
    [Promise("G11", "G12")]
    [Failure("F90")]
    public async Task Done_work_is_remembered_though_its_release_takes_most_of_the_lease()
    {
        await using var cluster = new Cluster();
        var a = Create(cluster, "a", (_, _) => Task.FromResult(Interlocked.Increment(ref _runs)));
        a.Store.ReleaseFault = StoreWithFaults.Away;
        var first = a.Host.StartAsync(Token);
        await Cluster.UntilAsync(() => a.Logged(1230) == 1, "a does it");
        await cluster.AdvanceAsync(Cluster.LeaseDuration / 2);
        a.Store.ReleaseFault = null;
        await cluster.AdvanceUntilAsync(() => first.IsCompleted, TimeSpan.FromSeconds(5), "a has started");
        await first;
        Assert.Equal(0, a.Logged(1236));

        var b = Create(cluster, "b", (_, _) => Task.FromResult(Interlocked.Increment(ref _runs)));
        var second = b.Host.StartAsync(Token);
        await cluster.AdvanceUntilAsync(() => second.IsCompleted, 2 * Cluster.LeaseDuration, "b has started");
        await second;
        Assert.Equal(1, _runs);
    }

    [Fact]
    [Failure("F90")]
    public async Task Work_of_which_the_store_did_not_confirm_that_it_is_done_is_warned_of()
    {
        await using var cluster = new Cluster();
        var a = Create(cluster, "a", (_, _) => Task.FromResult(Interlocked.Increment(ref _runs)));
        a.Store.ReleaseFault = StoreWithFaults.Away;
        var start = a.Host.StartAsync(Token);
        await cluster.AdvanceUntilAsync(() => start.IsCompleted, 2 * Cluster.LeaseDuration, "a has started");
        await start;
        Assert.Equal(LogLevel.Warning, Assert.Single(a.Log, record => record.Id.Id == 1236).Level);
    }

    [Fact]
    [Failure("F67")]
    public async Task Steps_are_done_in_their_order_also_where_services_start_concurrently()
    {
        await using var cluster = new Cluster();
        var begun = new List<string>();
        var (first, second) = (new TaskCompletionSource(), new TaskCompletionSource());
        var a = cluster.CreateNode("a", services => services
            .AddRunOnce("one", (_, _) => DoAsync("one", first))
            .AddRunOnce("two", (_, _) => DoAsync("two", second))
            .Configure<HostOptions>(o => o.ServicesStartConcurrently = true));
        var start = a.Host.StartAsync(Token);
        await Cluster.UntilAsync(() => Begun().Length > 0, "the first step is done");
        Assert.Equal(["one"], Begun());
        first.SetResult();
        second.SetResult();
        await start.WaitAsync(Bound, Token);
        Assert.Equal(["one", "two"], Begun());

        string[] Begun()
        {
            lock (begun)
            {
                return [.. begun];
            }
        }

        Task DoAsync(string step, TaskCompletionSource end)
        {
            lock (begun)
            {
                begun.Add(step);
            }

            return end.Task;
        }
    }

    [Fact]
    public void A_name_is_registered_once()
    {
        var services = new ServiceCollection();
        services.AddRunOnce("schema", (_, _) => Task.CompletedTask);
        Assert.Contains("'schema' is registered already", Assert.Throws<InvalidOperationException>(() => services.AddRunOnce("schema", (_, _) => Task.CompletedTask)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{braces}")]
    [InlineData("schema:2026")]
    public void A_name_that_no_lock_or_section_may_have_is_refused(string name) =>
        Assert.Throws<ArgumentException>(() => new ServiceCollection().AddRunOnce(name, (_, _) => Task.CompletedTask));

    private static TestNode Create(Cluster cluster, string node, Func<RunOnceContext, CancellationToken, Task> work, string name = "schema", Action<RunOnceOptions>? configure = null) =>
        cluster.CreateNode(node, services => services.AddRunOnce(name, work, configure));
}
