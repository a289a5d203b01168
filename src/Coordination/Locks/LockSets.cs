using Coordination.Leases;
using Coordination.Telemetry;
using Coordination.Time;
using Coordination.Waiting;

namespace Coordination.Locks;

/// <summary>Several locks together, all or none: in one step where the store has one, and else one after the other, in one order for all. A call is measured as its caller sees it, once for all of them.</summary>
internal sealed class LockSets(Acquirer acquirer, AcquireTelemetry telemetry, TimeProvider time)
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
    public Task<ILockSetLease?> TryOnceAsync(string[] names, LockOptions? options, CancellationToken cancellationToken) =>
        MeasureAsync(names, () => TryAsync(names, options, cancellationToken), AcquireOutcome.Held, cancellationToken);

    /// <summary>Waits for all.</summary>
    /// <returns>Null when the time was up and another held one; never with an infinite timeout.</returns>
    /// <exception cref="LockStoreException">The store refused for good; or, transient, the time was up and the store could not be asked.</exception>
    public Task<ILockSetLease?> WaitAsync(string[] names, LockOptions? options, TimeSpan timeout, CancellationToken cancellationToken) =>
        MeasureAsync(
            names,
            () => timeout == Timeout.InfiniteTimeSpan ? WaitAsync(names, options, cancellationToken) : WaitWithinAsync(names, options, timeout, cancellationToken),
            AcquireOutcome.TimedOut,
            cancellationToken);

    /// <summary>What the locks are called where all of them are meant.</summary>
    public static string Describe(string[] names) => $"The locks '{names[0]}' to '{names[^1]}', {names.Length} in all,";

    private async Task<ILockSetLease?> MeasureAsync(string[] names, Func<Task<ILockSetLease?>> acquire, AcquireOutcome none, CancellationToken cancellationToken)
    {
        acquirer.ThrowIfDisposed();
        cancellationToken.ThrowIfCancellationRequested();
        var (call, outcome) = (telemetry.Begin(names[0], CallKind.User), AcquireOutcome.Failed);
        try
        {
            var set = await acquire().ConfigureAwait(false);
            outcome = set is null ? none : AcquireOutcome.Granted;
            return set;
        }
        catch (Exception e)
        {
            outcome = AcquireTelemetry.OutcomeOf(e);
            Acquirer.ThrowIfCancelledByCaller(e, cancellationToken);
            throw;
        }
        finally
        {
            telemetry.End(call, outcome);
        }
    }

    private async Task<ILockSetLease?> TryAsync(string[] names, LockOptions? options, CancellationToken cancellationToken)
    {
        if (await acquirer.TryAllAsync(names, options, cancellationToken).ConfigureAwait(false) is { } together)
        {
            return together.Count == 0 ? null : LeaseSet.Of(together);
        }

        try
        {
            return await OneByOneAsync(names, options, acquirer.TryPartAsync, cancellationToken).ConfigureAwait(false);
        }
        catch (LeaseLostException)
        {
            // It is another's, or free: one try does not find out.
            return null;
        }
    }

    private async Task<ILockSetLease?> WaitWithinAsync(string[] names, LockOptions? options, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            return await WaitAsync(names, options, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested && deadline.IsCancellationRequested)
        {
            return e.InnerException is LockStoreException failure ? throw Acquirer.TimeIsUp(Describe(names), timeout, failure) : null;
        }
    }

    /// <exception cref="OperationCanceledException">
    /// The token was cancelled. Its inner exception is a <see cref="LockStoreException"/> where the last thing that is known of the lock that was asked for is that it could not be.
    /// </exception>
    private async Task<ILockSetLease?> WaitAsync(string[] names, LockOptions? options, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (await TryInOneStepAsync(names, options, cancellationToken).ConfigureAwait(false) is { } together)
            {
                return LeaseSet.Of(together);
            }

            try
            {
                return await OneByOneAsync(names, options, acquirer.WaitForPartAsync, cancellationToken).ConfigureAwait(false);
            }
            catch (LeaseLostException)
            {
                // What it had was released, and it begins again.
            }
        }
    }

    /// <returns>Null when they have to be waited for: one is another's, the store has no such step, or is away.</returns>
    /// <exception cref="OperationCanceledException">As of <see cref="WaitAsync(string[], LockOptions?, CancellationToken)"/>. What the store may have granted is undone.</exception>
    private async Task<IReadOnlyList<LeaseHandle>?> TryInOneStepAsync(string[] names, LockOptions? options, CancellationToken cancellationToken)
    {
        var askedAt = time.Uptime;
        try
        {
            return await acquirer.TryAllAsync(names, options, cancellationToken).ConfigureAwait(false) is { Count: > 0 } together ? together : null;
        }
        catch (LockStoreException e) when (e.IsTransient)
        {
            // Who waits goes on trying while the store is away, and says so when it may not.
            return cancellationToken.IsCancellationRequested ? throw new OperationCanceledException(e.Message, e, cancellationToken) : null;
        }
        catch (OperationCanceledException e) when ((acquirer.FindFailure(names[0]) ?? LocalQueue.FailureOf(time.Uptime - askedAt)) is { } failure)
        {
            throw new OperationCanceledException(e.Message, failure, e.CancellationToken);
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
        catch (OperationCanceledException) when (set.Lost.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            // Which is said below.
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
