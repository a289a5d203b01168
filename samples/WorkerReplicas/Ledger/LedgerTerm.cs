using SampleKit.Processes;

namespace WorkerReplicas.Ledger;

/// <summary>The ledger, opened for one term.</summary>
internal sealed class LedgerTerm(LedgerStream stream) : IAsyncDisposable
{
    private static readonly TimeSpan ReplyTimeout = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Writes lines one by one, to the end: a batch that was begun does not look up. What keeps a late line out is the fencing
    /// token, and not a check that a pause may follow.
    /// </summary>
    /// <returns>False when the ledger refused a line, because it has heard from a later leader.</returns>
    public async Task<bool> AppendAsync(IReadOnlyList<string> batch)
    {
        for (var i = 0; i < batch.Count; i++)
        {
            var line = new LedgerRequest(LedgerRequestKind.Append, MonotonicClock.Now, Line: batch[i], MoreFollow: i < batch.Count - 1);
            if (!await SendAsync(line))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Says that the replica has stopped working as the leader. The moment counts from here, before the lock is released.</summary>
    public async ValueTask DisposeAsync()
    {
        var ended = new LedgerRequest(LedgerRequestKind.End, MonotonicClock.Now);
        await using (stream)
        {
            await SendAsync(ended);
        }
    }

    /// <summary>Closes the connection, and says nothing.</summary>
    internal ValueTask CloseAsync() => stream.DisposeAsync();

    internal async Task<bool> SendAsync(LedgerRequest request)
    {
        using var limit = new CancellationTokenSource(ReplyTimeout);
        await stream.SendAsync(request, limit.Token);
        var reply = await stream.ReceiveAsync<LedgerReply>(limit.Token);
        return reply?.Accepted ?? throw new IOException("The ledger closed the connection.");
    }
}
