using Coordination.Tests.Contract;

namespace Coordination.Redis.Tests.Failover;

/// <summary>
/// The resource behind a lock, outside the code under test: it refuses a token that is lower than the highest it has seen, and
/// keeps who wrote when.
/// </summary>
internal sealed class Journal
{
    private readonly Lock _gate = new();
    private readonly FencedResource _resource = new();
    private readonly Dictionary<long, Term> _terms = [];

    /// <summary>How often a token was refused.</summary>
    public int Refusals { get; private set; }

    public bool TryWrite(ILockLease lease)
    {
        lock (_gate)
        {
            if (!_resource.TryWrite(lease.FencingToken))
            {
                Refusals++;
                return false;
            }

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
        var history = new HoldHistory();
        foreach (var (token, term) in _terms)
        {
            history.Add(term.From, term.To, token);
        }

        Assert.Equal(count, history.Count);
        history.AssertOneAtATimeWithTokensThatGrow();
    }

    private sealed record Term(LockOwner Owner, long From, long To);
}
