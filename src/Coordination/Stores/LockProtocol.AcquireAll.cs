namespace Coordination.Stores;

/// <content>Acquiring several locks in one step.</content>
public static partial class LockProtocol
{
    /// <summary>Tries to acquire several exclusive locks, as <see cref="ILockStore.TryAcquireAllAsync"/> says.</summary>
    /// <param name="states">The locks.</param>
    /// <param name="requests">What is asked of each in turn.</param>
    /// <param name="now">The store's time.</param>
    /// <returns>What comes of each.</returns>
    public static IReadOnlyList<LockChange<AcquireReply>> AcquireAll(IReadOnlyList<LockState> states, IReadOnlyList<AcquireRequest> requests, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(states);
        ArgumentNullException.ThrowIfNull(requests);
        var changes = new LockChange<AcquireReply>[requests.Count];
        for (var i = 0; i < changes.Length; i++)
        {
            changes[i] = Acquire(states[i], requests[i] with { Wait = false }, now);
            if (!changes[i].Reply.IsGranted)
            {
                return NothingOf(states, i, new AcquireReply { Holder = Describe(states[i], now), InUseAs = changes[i].Reply.InUseAs });
            }
        }

        return changes;
    }

    private static LockChange<AcquireReply>[] NothingOf(IReadOnlyList<LockState> states, int refused, AcquireReply why) =>
        [.. states.Select((state, i) => new LockChange<AcquireReply> { State = state, Reply = i == refused ? why : new AcquireReply() })];
}
