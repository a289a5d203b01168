using System.Collections.Concurrent;
using Coordination.Stores;

namespace Coordination.PostgreSql.Stores;

/// <summary>
/// Acquisitions that are under way. Calls go by several connections, so a release could overtake the acquisition that it undoes, find nothing to release, and leave a grant that
/// nobody has: it is sent when that one has ended. One that hangs ends by its time limit; its row is locked until the server has committed it or rolled it back.
/// </summary>
internal sealed class CallsUnderWay
{
    private readonly ConcurrentDictionary<(string LockName, LockOwner Owner, long Entry), Task> _calls = new();

    /// <summary>Runs an acquisition.</summary>
    /// <param name="requests">What it asks for.</param>
    /// <param name="acquire">Begins it.</param>
    public async Task<T> RunAsync<T>(IReadOnlyList<AcquireRequest> requests, Func<Task<T>> acquire)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        foreach (var request in requests)
        {
            // One that is repeated may have left an earlier try behind.
            _ = _calls.AddOrUpdate(Key(request), static (_, ended) => ended, static (_, before, ended) => Task.WhenAll(before, ended), ended.Task);
        }

        try
        {
            return await acquire().ConfigureAwait(false);
        }
        finally
        {
            ended.SetResult();
            foreach (var request in requests)
            {
                if (_calls.TryGetValue(Key(request), out var all) && (ReferenceEquals(all, ended.Task) || all.IsCompleted))
                {
                    _calls.TryRemove(KeyValuePair.Create(Key(request), all));
                }
            }
        }
    }

    /// <summary>Waits for those that a release undoes.</summary>
    public Task EndOfAsync(ReleaseRequest request) => _calls.TryGetValue((request.LockName, request.Owner, request.Entry), out var all) ? all : Task.CompletedTask;

    private static (string LockName, LockOwner Owner, long Entry) Key(AcquireRequest request) => (request.LockName, request.Owner, request.Entry);
}
