namespace Coordination;

/// <summary>Work that is run while a lock is held: acquire, run, release.</summary>
public static class LockProviderExtensions
{
    /// <summary>Waits for a lock, runs work while it is held, and releases it when the work has ended, whatever came of it.</summary>
    /// <param name="locks">Gives the lock.</param>
    /// <param name="name">The lock, as for <see cref="ILockProvider.GetLock"/>.</param>
    /// <param name="work">
    /// The work. It gets the lease, which it does not release, and a token that is cancelled when the lease is lost or <paramref name="cancellationToken"/> is cancelled. It is
    /// awaited in either case, so it is to pass the token on. What it does outside this process it does with <see cref="ILease.FencingToken"/>.
    /// </param>
    /// <param name="options">How the lease differs from the node's defaults; null for not at all.</param>
    /// <param name="cancellationToken">Ends the wait for the lock, and leaves the queue; while the work runs, cancels its token.</param>
    /// <remarks>
    /// The token of the work is cancelled by a callback, where both may cancel it, so with an exhausted thread pool it comes late: <see cref="ILease.Lost"/> and
    /// <see cref="LeaseExtensions.ThrowIfLost"/> do not.
    /// </remarks>
    /// <exception cref="ArgumentNullException">An argument is null that may not be.</exception>
    /// <exception cref="ArgumentException">The name or an option is not in its range.</exception>
    /// <exception cref="LeaseLostException">
    /// The lease was lost while the work ran, and it ended by its token or all the same as if it had not been: another may have held the lock meanwhile. The inner exception is
    /// that of the work, if any. Where the work threw anything else than the cancellation, that is thrown.
    /// </exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled before the work began, or the work ended by it.</exception>
    /// <exception cref="LockStoreException">The store refused in a way that no retry changes, such as a wrong password. The work did not run.</exception>
    /// <exception cref="ObjectDisposedException">The provider was disposed.</exception>
    /// <example>
    /// <code>
    /// await locks.RunAsync("invoices", async (lease, token) => await SendInvoicesAsync(lease.FencingToken, token), cancellationToken: cancellationToken);
    /// </code>
    /// </example>
    public static Task RunAsync(
        this ILockProvider locks, string name, Func<ILease, CancellationToken, Task> work, LockOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        return RunAsync(locks, name, WithResult(work), options, cancellationToken);
    }

    /// <inheritdoc cref="RunAsync(ILockProvider, string, Func{ILease, CancellationToken, Task}, LockOptions?, CancellationToken)"/>
    /// <returns>What the work returned.</returns>
    public static async Task<TResult> RunAsync<TResult>(
        this ILockProvider locks, string name, Func<ILease, CancellationToken, Task<TResult>> work, LockOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(locks);
        ArgumentNullException.ThrowIfNull(work);
        var lease = await locks.GetLock(name, options).AcquireAsync(cancellationToken).ConfigureAwait(false);
        return await RunAsync(lease, work, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Runs work while a lock is held, if nobody else holds it: tries once, and waits for nobody.</summary>
    /// <inheritdoc cref="RunAsync(ILockProvider, string, Func{ILease, CancellationToken, Task}, LockOptions?, CancellationToken)" path="/param|/remarks"/>
    /// <returns>Whether the work ran: false when another holds the lock or waits for it. True says that it ran to its end, with the lease held until then.</returns>
    /// <inheritdoc cref="RunAsync(ILockProvider, string, Func{ILease, CancellationToken, Task}, LockOptions?, CancellationToken)" path="/exception[not(contains(@cref, 'LockStoreException'))]"/>
    /// <exception cref="LockStoreException">The store could not reply (the retries of the acquisition pipeline included). The work did not run.</exception>
    public static async Task<bool> TryRunAsync(
        this ILockProvider locks, string name, Func<ILease, CancellationToken, Task> work, LockOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(locks);
        ArgumentNullException.ThrowIfNull(work);
        return await locks.GetLock(name, options).TryAcquireAsync(cancellationToken).ConfigureAwait(false) is { } lease
            && await RunAsync(lease, WithResult(work), cancellationToken).ConfigureAwait(false);
    }

    private static Func<ILease, CancellationToken, Task<bool>> WithResult(Func<ILease, CancellationToken, Task> work) => async (lease, token) =>
    {
        await work(lease, token).ConfigureAwait(false);
        return true;
    };

    private static async Task<TResult> RunAsync<TResult>(ILockLease lease, Func<ILease, CancellationToken, Task<TResult>> work, CancellationToken cancellationToken)
    {
        await using var held = lease.ConfigureAwait(false);

        // Lost by itself is on time whatever the pool does; one that links it is not.
        using var either = cancellationToken.CanBeCanceled ? CancellationTokenSource.CreateLinkedTokenSource(lease.Lost, cancellationToken) : null;
        try
        {
            var result = await work(lease.AsReadOnly(), either?.Token ?? lease.Lost).ConfigureAwait(false);
            lease.ThrowIfLost();
            return result;
        }
        catch (OperationCanceledException e)
        {
            // With the caller's token, and not with one that links it.
            cancellationToken.ThrowIfCancellationRequested();
            if (lease.State == LeaseState.Lost)
            {
                throw new LeaseLostException(lease, e);
            }

            throw;
        }
    }
}
