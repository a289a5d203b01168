using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Coordination.Testing.Contracts.Nodes;
using Coordination.Testing.Contracts.Observations;
using Coordination.Testing.Contracts.Waiting;

namespace Coordination.Testing.Contracts;

#pragma warning disable CS1591, RS0016 // Tests say by their names what they show, and are no interface to code against.

/// <content>Many at once, judged from outside by when each of them had the lock.</content>
public abstract partial class LockShareContract
{
    private static readonly TimeSpan StressDuration = TimeSpan.FromSeconds(1);

    [Fact]
    [Promise("G1", "G3")]
    public async Task Nodes_that_compete_for_a_semaphore_never_hold_more_permits_than_there_are()
    {
        const int permits = 3;

        // At rest first: those that compete may be too busy to meet.
        List<ILockLease> held = [];
        foreach (var node in Enumerable.Range(0, permits + 1).Select(_ => StartNode()).ToArray())
        {
            if (await Semaphore(node, permits).TryAcquireAsync(TimeSpan.Zero, Cancellation) is { } lease)
            {
                held.Add(lease);
            }
        }

        Assert.Equal(permits, held.Count);
        foreach (var lease in held)
        {
            await lease.ReleaseAsync(Cancellation);
        }

        var history = new ShareHistory();
        await CompeteAsync(
            async (node, timeout) => await Semaphore(node, permits).TryAcquireAsync(timeout, Cancellation) is { } lease ? (lease, LockShareKind.Permit) : null, history);
        history.AssertNeverMoreThan(permits);
        history.AssertEachPermitHeldByOne();
        await AssertNothingLeftAsync(Name);
    }

    [Fact]
    [Promise("G1", "G3")]
    [SuppressMessage("Security", "CA5394:Do not use insecure randomness", Justification = "It mixes the calls.")]
    public async Task Nodes_that_compete_to_read_and_write_never_write_beside_anybody()
    {
        var history = new ShareHistory();
        await CompeteAsync(TakeAsync, history);
        history.AssertWritersAlone();
        await AssertNothingLeftAsync(Name);

        async Task<(ILockLease, LockShareKind)?> TakeAsync(Node node, TimeSpan timeout)
        {
            var prices = ReaderWriter(node);
            var kind = Random.Shared.GetItems([LockShareKind.Read, LockShareKind.Read, LockShareKind.UpgradeableRead, LockShareKind.Write], 1)[0];
            var wanted = kind switch
            {
                LockShareKind.Read => prices.Read,
                LockShareKind.UpgradeableRead => prices.UpgradeableRead,
                _ => prices.Write,
            };
            if (await wanted.TryAcquireAsync(timeout, Cancellation) is not { } lease)
            {
                return null;
            }

            if (kind == LockShareKind.UpgradeableRead && await prices.Upgrade(lease).TryAcquireAsync(timeout, Cancellation) is { } upgrade)
            {
                await history.UseAsync(upgrade, LockShareKind.Upgrade);
                await upgrade.ReleaseAsync(Cancellation);
            }

            return (lease, kind);
        }
    }

    [SuppressMessage("Security", "CA5394:Do not use insecure randomness", Justification = "It mixes the calls.")]
    private async Task CompeteAsync(Func<Node, TimeSpan, Task<(ILockLease Lease, LockShareKind Kind)?>> take, ShareHistory history)
    {
        var nodes = Enumerable.Range(0, 3).Select(_ => StartNode()).ToArray();
        using var time = new CancellationTokenSource(StressDuration);
        var grantsByWorker = await AtOnce.Async(nodes.SelectMany(node => Enumerable.Repeat(node, 4)), WorkAsync, StressDuration + Bound);
        Assert.True(DropsNotifications || grantsByWorker.All(grants => grants > 0), "A worker was never granted the lock.");
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{grantsByWorker.Sum()} grants"));

        async Task<int> WorkAsync(Node node)
        {
            var grants = 0;
            while (!time.IsCancellationRequested || (grants == 0 && !DropsNotifications))
            {
                if (await take(node, TimeSpan.FromMilliseconds(Random.Shared.Next(500))) is var (lease, kind))
                {
                    await history.UseAsync(lease, kind);
                    await lease.ReleaseAsync(Cancellation);
                    grants++;
                }
            }

            return grants;
        }
    }
}
