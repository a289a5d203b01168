using Coordination.Hosting.Tests.Nodes;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Hosting.Tests.RunOnce;

/// <summary>Work that one node does once, before its host counts as started.</summary>
[Failure("F67")]
public sealed class RunOnceTests
{
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
        await Task.WhenAll(starts).WaitAsync(TimeSpan.FromSeconds(20), Token);

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
    public async Task A_start_that_is_cancelled_ends_the_work_and_lets_another_node_do_it()
    {
        await using var cluster = new Cluster();
        var a = Create(cluster, "a", (_, stop) => Task.Delay(Timeout.Infinite, stop));
        var b = Create(cluster, "b", (_, _) => Task.FromResult(Interlocked.Increment(ref _runs)));
        using var cancelled = new CancellationTokenSource();
        var first = a.Host.StartAsync(cancelled.Token);
        await Cluster.UntilAsync(() => a.Logged(1230) == 1, "a does it");

        await cancelled.CancelAsync();
        await Record.ExceptionAsync(() => first.WaitAsync(TimeSpan.FromSeconds(20), Token));
        await b.Host.StartAsync(Token);

        Assert.Equal(1, _runs);
        Assert.Equal(1, a.Logged(1235));
    }

    [Fact]
    public void A_name_is_registered_once()
    {
        var services = new ServiceCollection();
        services.AddRunOnce("schema", (_, _) => Task.CompletedTask);
        Assert.Contains("'schema' is registered already", Assert.Throws<InvalidOperationException>(() => services.AddRunOnce("schema", (_, _) => Task.CompletedTask)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => services.AddRunOnce("other", (_, _) => Task.CompletedTask, o => o.RememberFor = TimeSpan.FromDays(367)));
        Assert.Throws<ArgumentException>(() => services.AddRunOnce("{braces}", (_, _) => Task.CompletedTask));
    }

    private static TestNode Create(Cluster cluster, string node, Func<RunOnceContext, CancellationToken, Task> work, string name = "schema", Action<RunOnceOptions>? configure = null) =>
        cluster.CreateNode(node, services => services.AddRunOnce(name, work, configure));
}
