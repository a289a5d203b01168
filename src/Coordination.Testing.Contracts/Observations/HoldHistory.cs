using System.Collections.Concurrent;

namespace Coordination.Testing.Contracts.Observations;

/// <summary>When a lock was held and under which token, to be checked afterwards.</summary>
internal sealed class HoldHistory
{
    private readonly ConcurrentQueue<Hold> _holds = new();

    public int Count => _holds.Count;

    /// <param name="from">A timestamp from after the grant of the lock.</param>
    /// <param name="to">A timestamp from before its release.</param>
    /// <param name="fencingToken">The token of the grant.</param>
    public void Add(long from, long to, long fencingToken) => _holds.Enqueue(new Hold(from, to, fencingToken));

    public void AssertOneAtATimeWithTokensThatGrow()
    {
        var holds = _holds.OrderBy(hold => hold.From).ToArray();
        foreach (var (earlier, later) in holds.Zip(holds.Skip(1)))
        {
            Assert.True(earlier.To <= later.From, $"{earlier} and {later} overlap.");
            Assert.True(earlier.FencingToken < later.FencingToken, $"The token did not grow from {earlier} to {later}.");
        }
    }

    private sealed record Hold(long From, long To, long FencingToken);
}
