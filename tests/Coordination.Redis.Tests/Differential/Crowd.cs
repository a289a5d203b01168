using Coordination.Stores;

namespace Coordination.Redis.Tests.Differential;

/// <summary>Makes a request travel with others: so many of its kind, for other locks, are under way that the store lets it wait for the next ones to go together.</summary>
internal static class Crowd
{
    /// <summary>As many as are sent alone, and one more that goes together with the request.</summary>
    private const int Size = 5;

    /// <summary>Asks the store in a crowd.</summary>
    /// <param name="store">The store, which nobody else asks meanwhile.</param>
    /// <param name="share">What the request is about, for each kind goes with its own.</param>
    /// <param name="ask">Makes the request.</param>
    public static async Task<TReply> AskAsync<TReply>(ILockStore store, LockShare? share, Func<Task<TReply>> ask)
    {
        var others = Enumerable.Range(1, Size).Select(i => store.AcquireAsync(
            new AcquireRequest
            {
                LockName = $"{(share is null ? "crowd" : "crowd-of-shares")}-{i}",
                Owner = new LockOwner("crowd", 1),
                Entry = 1,
                LeaseDuration = TimeSpan.FromSeconds(1),
                ClaimWindow = TimeSpan.FromSeconds(1),
                Share = share is null ? null : LockShare.PermitOf(1),
            },
            CancellationToken.None)).ToList();
        var reply = await ask();
        await Task.WhenAll(others);
        return reply;
    }
}
