using Coordination.Stores;

namespace Coordination.Waiting;

/// <summary>Replies that say that a lock cannot be had in this way: no wait helps, and the caller has to know.</summary>
internal static class WrongUse
{
    /// <summary>Throws what such a reply means.</summary>
    /// <param name="reply">A reply to the request.</param>
    /// <param name="request">What was asked.</param>
    /// <exception cref="LockStoreException">Others use the name with another capacity.</exception>
    /// <exception cref="LeaseLostException">There is no upgradeable read any more to be upgraded.</exception>
    public static void ThrowIfOf(AcquireReply reply, AcquireRequest request)
    {
        if (reply.InUseAs is { } other)
        {
            var wanted = request.Share?.Capacity ?? LockCapacity.Exclusive;
            throw new LockStoreException(
                $"The lock '{request.LockName}' was asked for as {wanted}, and others use it as {other}. Use one name in one way, or wait until nobody holds it or waits for it, as after a rolling update that changes it.",
                isTransient: false)
            { InUseAs = other, MayBeApplied = false };
        }

        if (reply.HasNothingToUpgrade)
        {
            throw new LeaseLostException($"The upgradeable read of the lock '{request.LockName}' by {request.Share?.Reader} is lost or released, and there is nothing to upgrade. Acquire it again, and read again what it protects.");
        }
    }
}
