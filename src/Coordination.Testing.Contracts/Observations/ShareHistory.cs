using System.Collections.Concurrent;

namespace Coordination.Testing.Contracts.Observations;

/// <summary>When each lease of a lock was held that several may hold, to be checked afterwards.</summary>
internal sealed class ShareHistory
{
    private readonly ConcurrentQueue<Hold> _holds = new();

    /// <summary>Holds a lease for a moment, and notes it: from after its grant to before its release.</summary>
    public async Task UseAsync(ILockLease lease, LockShareKind kind)
    {
        var from = TimeProvider.System.GetTimestamp();
        await Task.Yield();
        Assert.Equal(LeaseState.Held, lease.State);
        _holds.Enqueue(new Hold(from, TimeProvider.System.GetTimestamp(), kind, lease.Permit, lease.FencingToken));
    }

    public void AssertNeverMoreThan(int most)
    {
        // What ends in a moment ended before what begins in it.
        var (inside, greatest) = (0, 0);
        foreach (var (_, change) in _holds.SelectMany(hold => new[] { (At: hold.From, Change: 1), (At: hold.To, Change: -1) }).OrderBy(step => step.At).ThenBy(step => step.Change))
        {
            inside += change;
            greatest = Math.Max(greatest, inside);
        }

        Assert.InRange(greatest, 1, most);
        Assert.Equal(_holds.Count, _holds.Select(hold => hold.FencingToken).Distinct().Count());
    }

    public void AssertEachPermitHeldByOne()
    {
        foreach (var holds in _holds.GroupBy(hold => hold.Permit))
        {
            Assert.NotNull(holds.Key);
            var inOrder = holds.OrderBy(hold => hold.From).ToArray();
            foreach (var (earlier, later) in inOrder.Zip(inOrder.Skip(1)))
            {
                Assert.True(earlier.To <= later.From, $"{earlier} and {later} overlap.");
                Assert.True(earlier.FencingToken < later.FencingToken, $"The token did not grow from {earlier} to {later}.");
            }
        }
    }

    public void AssertWritersAlone()
    {
        Hold? writing = null;
        Hold? lastToEnd = null;
        foreach (var hold in _holds.OrderBy(hold => hold.From))
        {
            var before = hold.IsToWrite ? lastToEnd : writing;
            Assert.True(before is null || before.To <= hold.From, $"{before} and {hold} overlap.");
            Assert.True(before is null || before.FencingToken < hold.FencingToken || hold.Kind == LockShareKind.UpgradeableRead, $"The token did not grow from {before} to {hold}.");
            lastToEnd = lastToEnd is null || lastToEnd.To < hold.To ? hold : lastToEnd;
            writing = hold.IsToWrite ? hold : writing;
        }
    }

    private sealed record Hold(long From, long To, LockShareKind Kind, int? Permit, long FencingToken)
    {
        public bool IsToWrite => Kind is LockShareKind.Write or LockShareKind.Upgrade;
    }
}
