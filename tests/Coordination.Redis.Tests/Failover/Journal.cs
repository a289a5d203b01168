namespace Coordination.Redis.Tests.Failover;

/// <summary>
/// The resource behind a lock, outside the code under test: it refuses a token that is lower than the highest it has seen, and
/// keeps who wrote when.
/// </summary>
internal sealed class Journal
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<long, Term> _terms = [];
    private long _highest;

    /// <summary>How often a token was refused.</summary>
    public int Refusals { get; private set; }

    public bool TryWrite(ILockLease lease)
    {
        lock (_gate)
        {
            if (lease.FencingToken < _highest)
            {
                Refusals++;
                return false;
            }

            _highest = lease.FencingToken;
            var now = TimeProvider.System.GetTimestamp();
            var term = _terms.GetValueOrDefault(lease.FencingToken) ?? new Term(lease.Owner, now, now);
            Assert.True(term.Owner == lease.Owner, $"{term.Owner} and {lease.Owner} wrote under one token, {lease.FencingToken}.");
            _terms[lease.FencingToken] = term with { To = now };
            return true;
        }
    }

    /// <param name="count">How many were granted the lock.</param>
    public void AssertOneAtATime(int count)
    {
        Assert.Equal(count, _terms.Count);

        // In the order of their tokens.
        foreach (var (earlier, later) in _terms.Values.Zip(_terms.Values.Skip(1)))
        {
            Assert.True(earlier.To <= later.From, $"{earlier} and {later} overlap.");
        }
    }

    private sealed record Term(LockOwner Owner, long From, long To);
}
