using System.Collections.Concurrent;
using Coordination.Hosting.Tests.Nodes;
using Microsoft.Extensions.Logging;

namespace Coordination.Hosting.Tests.Partitions;

/// <summary>What a service may do around the terms of each of its partitions.</summary>
public sealed class PartitionHookTests
{
    private const int HookFailedLine = 1243;
    private const int PartitionFailedLine = 1270;

    [Fact]
    [Promise("G1", "G10", "G14")]
    [Failure("F21")]
    public async Task Each_partition_passes_after_the_hook_before_its_release_and_waits_for_no_other()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var calls = Note(work);
        var (a, b) = await cluster.StartTwoPartitionNodesAsync(work);
        var ofA = a.Partitions.Led.Select(static led => led.Partition).ToList();
        var (slow, gate, withdraw) = (ofA[2], new TaskCompletionSource(), work.Hooks.Stopping);
        work.Hooks.Stopping = async (term, cancellationToken) =>
        {
            await withdraw(term, cancellationToken);
            await (term.Partition == slow ? gate.Task : Task.CompletedTask);
        };

        var stopping = a.StopAsync();
        await cluster.SharedAsync(work, (a, 0), (b, 11));
        await cluster.PassAsync(work, 3 * PartitionNode.BalanceInterval);
        Assert.Equal((11, false), (work.RunningOn(b.NodeId), stopping.IsCompleted));
        Assert.Equal(a.NodeId, (await cluster.HolderAsync($"{SharedService.LockName}/{slow}"))?.Owner.NodeId);

        gate.SetResult();
        await cluster.SharedAsync(work, (b, 12));
        await cluster.PassUntilAsync(work, () => stopping.IsCompleted, TimeSpan.FromSeconds(10), "a has stopped");
        Assert.All(ofA, partition =>
        {
            // The next node may begin before the last hook is called.
            var all = calls.Where(call => call.StartsWith($"{partition} ", StringComparison.Ordinal)).ToList();
            Assert.Equal([$"{partition} starting Held", $"{partition} stopping Held"], all.Take(2));
            Assert.Equal([$"{partition} starting Held", $"{partition} stopped HostStopped Released"], all.Skip(2).Order(StringComparer.Ordinal));
        });
        Assert.Empty(work.Wrongs);
        Assert.All([a, b], AssertQuiet);
    }

    [Fact]
    [Failure("F65", "F86")]
    public async Task What_the_hook_before_the_work_throws_is_a_failure_of_its_partition_alone()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var calls = Note(work);
        var starting = work.Hooks.Starting;
        work.Hooks.Starting = async (term, cancellationToken) =>
        {
            await starting(term, cancellationToken);
            if (term.Partition == "3")
            {
                throw new InvalidOperationException("The registry is away.");
            }
        };
        var a = await cluster.StartPartitionNodeAsync("a", work);
        await cluster.PassUntilAsync(work, () => a.Logged(PartitionFailedLine) == 2, TimeSpan.FromMinutes(1), "it has failed twice");
        var times = a.TimesOf(PartitionFailedLine);
        Assert.InRange(times[1] - times[0], TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5));
        Assert.Equal((11, 11), (work.Running, work.Terms.Count));
        Assert.Equal(["3 starting Held", "3 stopping Held", "3 stopped WorkFailed Released"], calls.Where(static call => call.StartsWith("3 ", StringComparison.Ordinal)).Take(3));

        work.Hooks.Starting = starting;
        await cluster.SharedAsync(work, (a, 12));
    }

    [Fact]
    [Promise("G10")]
    [Failure("F22", "F28")]
    public async Task What_the_hooks_after_the_work_of_a_partition_throw_keeps_no_lock()
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        work.Hooks.Stopping = static (_, _) => throw new InvalidOperationException("stopping");
        work.Hooks.Stopped = static _ => throw new InvalidOperationException("stopped");
        var a = await cluster.StartPartitionNodeAsync("a", work);
        await cluster.SharedAsync(work, (a, 12));

        // The clock stands still: a failure would be followed by a backoff.
        work.Now.Keys.Single(static term => term.Partition == "3").StepDown();
        await Cluster.UntilAsync(() => work.Terms.Count == 13 && work.Running == 12, "a leads it again");
        Assert.Equal(["stopping", "stopped"], a.Log.Where(static record => record.Id.Id == HookFailedLine).Select(static record => record.Exception!.Message));
        Assert.Equal(0, a.Logged(PartitionFailedLine));
    }

    /// <summary>Has the hooks note that they are called, and with what.</summary>
    private static ConcurrentQueue<string> Note(PartitionWorkOfAll work)
    {
        var calls = new ConcurrentQueue<string>();
        work.Hooks.Starting = (term, _) => NoteAsync($"{term.Partition} starting {term.State}");
        work.Hooks.Stopping = (term, _) => NoteAsync($"{term.Partition} stopping {term.State}");
        work.Hooks.Stopped = term => NoteAsync($"{term.Partition} stopped {term.Cause} {term.Release}");
        return calls;

        Task NoteAsync(string call)
        {
            calls.Enqueue(call);
            return Task.CompletedTask;
        }
    }

    private static void AssertQuiet(TestNode node) => Assert.DoesNotContain(node.Log, static record => record.Level >= LogLevel.Warning);
}
