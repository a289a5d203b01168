namespace Coordination.Stores.InMemory;

/// <summary>
/// Gives out fencing tokens: each is greater than the last, and than the time in microseconds. One counter for all locks grows over the
/// grants of each of them, and is nothing to keep per name. Not safe for use by several threads.
/// </summary>
internal sealed class FencingTokens(TimeProvider time)
{
    private long _last;

    /// <returns>The next token, and when it was given out.</returns>
    public (long Token, DateTimeOffset Since) Next()
    {
        var now = time.GetUtcNow();
        _last = Math.Max(_last + 1, (now - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
        return (_last, now);
    }
}
