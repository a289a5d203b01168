using Coordination.Testing.Contracts.Nodes;

namespace Coordination.Testing.Contracts;

#pragma warning disable CS1591, RS0016 // Tests say by their names what they show, and are no interface to code against.

/// <content>Several locks together.</content>
public abstract partial class LockContract
{
    private string[] Together => [Name, Name + "-b", Name + "-c"];

    [Fact]
    [Promise("G1", "G8")]
    public async Task Several_locks_are_held_together_and_released_together()
    {
        var (first, second) = (StartNode(), StartNode());
        await using (var set = await AcquireAllAsync(first, Together))
        {
            Assert.Equal(Together, set.Leases.Select(lease => lease.LockName));
            Assert.Null(await second.Provider.TryAcquireAllAsync([Name + "-c", Name + "-d"], cancellationToken: Cancellation).WaitAsync(Bound, Cancellation));
            Assert.Null(await TryAcquireAsync(second));
        }

        await using var again = await second.Provider.TryAcquireAllAsync([.. Together, Name + "-d"], cancellationToken: Cancellation).WaitAsync(Bound, Cancellation);
        Assert.NotNull(again);
    }

    [Fact]
    [Promise("G8")]
    public async Task A_wait_for_several_locks_that_is_cancelled_or_too_long_leaves_nothing()
    {
        var (first, second) = (StartNode(), StartNode());
        var lease = await first.GetLock(Name + "-b").AcquireAsync(Cancellation).WaitAsync(Bound, Cancellation);
        using var calling = new CancellationTokenSource();
        var waiting = second.Provider.AcquireAllAsync(Together, cancellationToken: calling.Token);
        Assert.Null(await second.Provider.TryAcquireAllAsync(Together, TimeSpan.FromMilliseconds(300), cancellationToken: Cancellation).WaitAsync(Bound, Cancellation));
        await calling.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(Bound, Cancellation));
        Assert.Equal(ReleaseResult.Released, await ReleaseAsync(lease));
        foreach (var name in Together)
        {
            await AssertNothingLeftAsync(name);
        }
    }

    /// <summary>Each names them in another order, and each gets all of them, again and again.</summary>
    [Fact]
    [Promise("G1", "G4")]
    public async Task Who_take_several_locks_in_any_order_never_wait_for_each_other_in_a_circle()
    {
        var turns = DropsNotifications ? 2 : 10;
        Node[] nodes = [StartNode(), StartNode(), StartNode()];
        await Task.WhenAll(nodes.Select(async (node, i) =>
        {
            string[] names = [Together[i], Together[(i + 1) % 3]];
            for (var turn = 0; turn < turns; turn++)
            {
                await using var set = await node.Provider.AcquireAllAsync(Enumerable.Reverse(names), cancellationToken: Cancellation).WaitAsync(2 * Bound, Cancellation);
                Assert.False(set.Lost.IsCancellationRequested);
                await Task.Yield();
            }
        }));
        foreach (var name in Together)
        {
            await AssertNothingLeftAsync(name);
        }
    }

    private static async Task<ILockSetLease> AcquireAllAsync(Node node, string[] names) =>
        await node.Provider.AcquireAllAsync(names, cancellationToken: Cancellation).WaitAsync(Bound, Cancellation);
}
