using Coordination.Leases;
using Coordination.Telemetry;
using Coordination.Time;
using Coordination.Waiting;

namespace Coordination.Locks;

/// <summary>Several locks together, all or none: in one step where the store has one, and else one after the other, in one order for all.</summary>
internal sealed class LockSets(Acquirer acquirer, TimeProvider time)
{
    /// <summary>What a script bears, and what one call may renew.</summary>
    public const int MaxNames = 100;

    /// <summary>The names in the order in which all take them.</summary>
    /// <exception cref="ArgumentException">One is not in its range, or they are not.</exception>
    public static string[] Order(IEnumerable<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        string[] ordered = [.. names.Take(MaxNames + 1)];
        if (ordered.Length is 0 or > MaxNames)
        {
            throw new ArgumentException($"{(ordered.Length == 0 ? "No lock is named" : "Too many locks are named")}. Name 1 to {MaxNames} to be acquired together.", nameof(names));
        }

        foreach (var name in ordered)
        {
            LockName.Validate(name);
        }

        Array.Sort(ordered, StringComparer.Ordinal);
        for (var i = 1; i < ordered.Length; i++)
        {
            if (ordered[i] == ordered[i - 1])
            {
                throw new ArgumentException($"The lock '{ordered[i]}' is named twice. Name each once: a lock is not re-entered, and would wait for itself.", nameof(names));
            }
        }

        return ordered;
    }

    /// <summary>Tries once.</summary>
    /// <returns>Null when one of them is another's.</returns>
    public async Task<ILockSetLease?> TryOnceAsync(string[] names, LockOptions? options, CancellationToken cancellationToken)
    {
        if (await acquirer.TryAllAsync(names, options, cancellationToken).ConfigureAwait(false) is { } together)
        {
            return together.Count == 0 ? null : LeaseSet.Of(together);
        }

        try
        {
            return await OneByOneAsync(names, options, acquirer.TryOnceAsync, cancellationToken).ConfigureAwait(false);
        }
        catch (LeaseLostException)
        {
            // It is another's, or free: one try does not find out.
            return null;
        }
    }

    /// <summary>Waits for all.</summary>
    /// <returns>Null when the time was up and another held one; never with an infinite timeout.</returns>
    /// <exception cref="LockStoreException">The store refused for good; or, transient, the time was up and the store could not be asked.</exception>
    public async Task<ILockSetLease?> WaitAsync(string[] names, LockOptions? options, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var begunAt = time.Uptime;
        while (true)
        {
            try
            {
                if (await acquirer.TryAllAsync(names, options, cancellationToken).ConfigureAwait(false) is { Count: > 0 } together)
                {
                    return LeaseSet.Of(together);
                }
            }
            catch (LockStoreException e) when (e.IsTransient)
            {
                // Who waits goes on trying while the store is away.
            }

            try
            {
                return await OneByOneAsync(names, options, Wait, cancellationToken).ConfigureAwait(false);
            }
            catch (LeaseLostException)
            {
                // What it had was released, and it begins again.
            }
        }

        Task<ILockLease?> Wait(WaitKey key, CancellationToken token)
        {
            var left = timeout == Timeout.InfiniteTimeSpan ? timeout : timeout - (time.Uptime - begunAt);
            return left > TimeSpan.Zero || left == Timeout.InfiniteTimeSpan ? acquirer.WaitAsync(key, CallKind.User, left, token) : Task.FromResult<ILockLease?>(null);
        }
    }

    /// <summary>Takes one after the other in the order in which all do, so that none waits for another in a circle.</summary>
    /// <exception cref="LeaseLostException">One was lost before the last was granted.</exception>
    private static async Task<ILockSetLease?> OneByOneAsync(
        string[] names, LockOptions? options, Func<WaitKey, CancellationToken, Task<ILockLease?>> acquire, CancellationToken cancellationToken)
    {
        var set = new LeaseSet();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(set.Lost, cancellationToken);
        var isWhole = false;
        try
        {
            foreach (var name in names)
            {
                if (await acquire(new WaitKey(name, null, options, null), either.Token).ConfigureAwait(false) is not { } lease)
                {
                    return null;
                }

                set.Add((LeaseHandle)lease);
            }

            if (!set.Lost.IsCancellationRequested)
            {
                isWhole = true;
                set.Begin();
                return set;
            }
        }
        catch (OperationCanceledException)
        {
            // With the caller's token, and not with one that links it.
            cancellationToken.ThrowIfCancellationRequested();
            if (!set.Lost.IsCancellationRequested)
            {
                throw;
            }
        }
        finally
        {
            if (!isWhole)
            {
                set.Undo();
            }
        }

        throw new LeaseLostException($"A lease of the locks '{names[0]}' to '{names[^1]}' was lost before the last one was granted.");
    }
}
