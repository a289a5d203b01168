namespace Coordination.Locks;

/// <content>Several locks together.</content>
internal sealed partial class LockProvider
{
    public async Task<ILockSetLease> AcquireAllAsync(IEnumerable<string> names, LockOptions? options = null, CancellationToken cancellationToken = default) =>
        (await sets.WaitAsync(Order(names, options), options, Timeout.InfiniteTimeSpan, cancellationToken).ConfigureAwait(false))!;

    public async Task<ILockSetLease> AcquireAllAsync(IEnumerable<string> names, TimeSpan timeout, LockOptions? options = null, CancellationToken cancellationToken = default)
    {
        var ordered = Order(names, options);
        try
        {
            return await TryAcquireAllAsync(ordered, timeout, options, cancellationToken).ConfigureAwait(false)
                ?? throw new TimeoutException($"{LockSets.Describe(ordered)} were not granted within {timeout}.");
        }
        catch (LockStoreException e) when (e.IsTransient && !NamedLock.IsOneTry(timeout))
        {
            throw new TimeoutException(e.Message, e);
        }
    }

    public Task<ILockSetLease?> TryAcquireAllAsync(IEnumerable<string> names, LockOptions? options = null, CancellationToken cancellationToken = default) =>
        sets.TryOnceAsync(Order(names, options), options, cancellationToken);

    public Task<ILockSetLease?> TryAcquireAllAsync(IEnumerable<string> names, TimeSpan timeout, LockOptions? options = null, CancellationToken cancellationToken = default)
    {
        DurationRange.Timeout.Validate(nameof(timeout), nameof(timeout), timeout);
        var ordered = Order(names, options);
        return NamedLock.IsOneTry(timeout) ? sets.TryOnceAsync(ordered, options, cancellationToken) : sets.WaitAsync(ordered, options, timeout, cancellationToken);
    }

    private static string[] Order(IEnumerable<string> names, LockOptions? options)
    {
        LockOptionsRange.Validate(options);
        return LockSets.Order(names);
    }
}
