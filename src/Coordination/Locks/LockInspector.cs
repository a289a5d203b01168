using System.Runtime.CompilerServices;
using Coordination.Nodes;
using Coordination.Resilience;
using Coordination.Telemetry;
using Microsoft.Extensions.Logging;

namespace Coordination.Locks;

/// <summary>Asks the store on behalf of an operator.</summary>
internal sealed class LockInspector(StoreClient store, Node node, CoordinationMetrics metrics, TelemetryDispatcher telemetry, TimeProvider time, ILogger<ILockInspector> logger) : ILockInspector
{
    private readonly ILogger _logger = telemetry.Wrap(logger);

    private const int MaxWaiters = 10_000;

    /// <summary>How long one question may take.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan StepDownTimeout = TimeSpan.FromMinutes(1);

    public async Task<LockInspection> InspectAsync(string lockName, int maxWaiters = 100, CancellationToken cancellationToken = default)
    {
        LockName.Validate(lockName);
        if (maxWaiters is < 0 or > MaxWaiters)
        {
            throw new ArgumentOutOfRangeException(nameof(maxWaiters), maxWaiters, $"The number of waiters to list is from 0 to {MaxWaiters}.");
        }

        return (await store.InspectAsync(lockName, maxWaiters, Limit, cancellationToken).ConfigureAwait(false)).Reply;
    }

    public async IAsyncEnumerable<string> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        // A store may show a lock on two pages.
        var seen = new HashSet<string>(StringComparer.Ordinal);
        string? next = null;
        do
        {
            var page = (await store.ListAsync(next, Limit, cancellationToken).ConfigureAwait(false)).Reply;
            foreach (var lockName in page.LockNames.Where(seen.Add))
            {
                yield return lockName;
            }

            next = page.Next;
        }
        while (next is not null);
    }

    public async Task<long> CountAsync(CancellationToken cancellationToken = default)
    {
        var count = 0L;
        await foreach (var _ in ListAsync(cancellationToken).ConfigureAwait(false))
        {
            count++;
        }

        return count;
    }

    public async Task<bool> RevokeAsync(string lockName, long fencingToken, CancellationToken cancellationToken = default)
    {
        LockName.Validate(lockName);
        var reply = await store.RevokeAsync(lockName, fencingToken, node.ClaimWindow, Limit, cancellationToken).ConfigureAwait(false);
        if (reply.Reply)
        {
            metrics.Revoked();
            Log.Revoked(_logger, lockName, fencingToken);
        }

        return reply.Reply;
    }

    public async Task<StepDownResult> StepDownAsync(
        string lockName, string? successor = null, TimeSpan? stayAway = null, long? fencingToken = null, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        LockName.Validate(lockName);
        LockOwner.ValidateNode(successor, nameof(successor));
        StepDownRequest.StayAways.Validate(nameof(stayAway), nameof(stayAway), stayAway);
        DurationRange.Timeout.Validate(nameof(timeout), nameof(timeout), timeout);
        var asking = new StepDownCall(store, lockName, successor, stayAway ?? TimeSpan.Zero, fencingToken, Limit, time, _logger);
        return await asking.RunAsync(timeout ?? StepDownTimeout, cancellationToken).ConfigureAwait(false);
    }

    public async Task<bool> ForgetOccurrenceAsync(string lockName, string series, CancellationToken cancellationToken = default)
    {
        LockName.Validate(lockName);
        ArgumentException.ThrowIfNullOrEmpty(series);
        return (await store.ForgetOccurrenceAsync(lockName, series, Limit, cancellationToken).ConfigureAwait(false)).Reply;
    }
}
