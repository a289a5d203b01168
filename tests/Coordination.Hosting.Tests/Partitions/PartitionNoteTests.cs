using Coordination.Hosting.Tests.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Coordination.Hosting.Tests.Partitions;

/// <summary>What a node says of itself as the leader of a partition.</summary>
public sealed class PartitionNoteTests
{
    private const string PartitionLock = $"{SharedService.LockName}/3";

    [Theory]
    [InlineData("v2", null, "v2")]
    [InlineData("v2", "of the lock", "v2")]
    [InlineData(null, "of the lock", "of the lock")]
    [InlineData(null, null, null)]
    public async Task The_lock_of_each_partition_says_what_its_leader_and_who_waits_say(string? note, string? ofLock, string? shown)
    {
        await using var cluster = new Cluster();
        var work = new PartitionWorkOfAll();
        var gate = new TaskCompletionSource();
        work.Do["3"] = (_, _) => gate.Task;
        var a = await StartAsync("a");
        await cluster.SharedAsync(work, (a, 12));
        var seen = await SeenAsync(PartitionLock);
        Assert.Equal((a.NodeId, shown), (seen.Holders.Single().Owner.NodeId, seen.Holders.Single().Note));

        // That of the membership is for the other nodes, and has what they count on.
        Assert.Equal("max=12", (await SeenAsync($"{SharedService.LockName}/members")).Holders.Single().Note);

        // It has the share of one whose work does not return.
        a.Partitions.SetCanLead(false);
        var b = await StartAsync("b");
        await cluster.PassUntilAsync(work, () => SeenAsync(PartitionLock).Result.WaiterCount == 1, TimeSpan.FromMinutes(1), "b waits");
        Assert.Equal((b.NodeId, shown), ((await SeenAsync(PartitionLock)).Waiters.Single().Owner.NodeId, (await SeenAsync(PartitionLock)).Waiters.Single().Note));
        gate.SetResult();

        Task<LockInspection> SeenAsync(string lockName) => a.Host.Services.GetRequiredService<ILockInspector>().InspectAsync(lockName, cancellationToken: TestContext.Current.CancellationToken);

        Task<TestNode> StartAsync(string name) => cluster.StartPartitionNodeAsync(name, work, configure: options =>
        {
            (options.Note, options.MaxPerNode) = (note, 12);
            options.LockOptions = ofLock is null ? null : new LockOptions { Note = ofLock };
        });
    }

    [Fact]
    public async Task A_note_that_is_too_long_is_refused_at_the_start()
    {
        await using var cluster = new Cluster();
        var thrown = await Assert.ThrowsAsync<OptionsValidationException>(
            () => cluster.StartPartitionNodeAsync("a", new PartitionWorkOfAll(), configure: static options => options.Note = new string('x', 1025)));
        Assert.Contains("Note", thrown.Message, StringComparison.OrdinalIgnoreCase);
    }
}
