namespace Coordination.DistributedLock.Locks;

/// <summary>
/// Waits for asynchronous code with the caller's thread. The interfaces have synchronous members, and what is below them has none: a
/// store replies over a network. So a thread has to be blocked somewhere, and it is here and nowhere else.
/// </summary>
internal static class Blocking
{
    /// <summary>Begins on this thread, and returns when what was begun has ended.</summary>
    /// <remarks>
    /// <para>The thread is blocked for as long as the caller asks for: an acquisition ends at its timeout or by its token, a release after
    /// <see cref="CoordinationOptions.ReleaseTimeout"/> at the latest.</para>
    /// <para>A context that has this thread only, as that of a user interface, could not go on with what waits for it: so there is none
    /// meanwhile, also for a store or a resilience pipeline that would go on where it was called. Not on a thread of the pool
    /// instead: with all of these blocked, a release would not even be sent.</para>
    /// </remarks>
    public static T Run<T>(Func<Task<T>> begin)
    {
        var context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            return begin().GetAwaiter().GetResult();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }
    }
}
