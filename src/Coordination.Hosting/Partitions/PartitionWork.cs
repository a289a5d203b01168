using System.Collections.Concurrent;
using Coordination.Hosting.Execution;
using Coordination.Hosting.Telemetry;
using Coordination.Hosting.Terms;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Coordination.Hosting.Partitions;

/// <summary>What the runs of all partitions of a service share, the bound of their acquisitions among it.</summary>
internal sealed class PartitionWork(
    PartitionedService service, ILockProvider locks, ILockInspector inspector, IServiceScopeFactory scopes, IHostApplicationLifetime? lifetime, ProcessEnd process, TimeProvider time, PartitionLog log) : IDisposable
{
    /// <summary>How many locks are asked for at a time. A share of thousands, all at once, would be late with the renewals of what it has.</summary>
    private const int MostAtOnce = 64;

    /// <summary>How long a run waits at least before it asks a store again that is away; twice that at most.</summary>
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _turns = new(MostAtOnce);

    public PartitionedService Service => service;

    public TimeProvider Time => time;

    public PartitionLog Log => log;

    /// <summary>What this node stays away from.</summary>
    public PartitionAbsences Absences { get; } = new(time);

    /// <summary>Called when a run is over, has lost its lease, or begins to stay away.</summary>
    public Action RunChanged { get; set; } = static () => { };

    /// <summary>Failures in a row of partitions whose work hung, which may be another node's share between two of them.</summary>
    public ConcurrentDictionary<string, (int InARow, string? Last)> Hung { get; } = new(StringComparer.Ordinal);

    public LeasedWork CreateLeased(ServiceLog ofPartition) => new(scopes, new OverdueWatch(service.Overdue, lifetime, process, time, ofPartition), ofPartition);

    /// <summary>Acquires the lock of a partition, for as long as it takes. Those that are free are taken some at a time; one that is held is waited for, and keeps no other one waiting.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="LockStoreException">The store refused for good.</exception>
    public async Task<ILockLease> AcquireAsync(string lockName, CancellationToken cancellationToken)
    {
        var @lock = locks.GetLock(lockName, service.LockOptions).AsStandby();
        while (true)
        {
            var isAway = false;
            await _turns.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                if (await @lock.TryAcquireAsync(cancellationToken).ConfigureAwait(false) is { } lease)
                {
                    return lease;
                }
            }
            catch (LockStoreException exception) when (exception.IsTransient)
            {
                // One that is busy in the store is waited for as one that is held: it is to keep no other one waiting.
                isAway = !exception.IsLockBusy;
            }
            finally
            {
                _turns.Release();
            }

            if (!isAway)
            {
                return await @lock.AcquireAsync(cancellationToken).ConfigureAwait(false);
            }

            await Task.Delay(RetryDelay + (Random.Shared.NextDouble() * RetryDelay), time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The id of the node to release to. Asks the store where it was asked for by somebody else, who may have said its name, and cannot know whether it waits. Throws nothing of what the store does.</summary>
    /// <param name="lockName">The lock of the partition.</param>
    /// <param name="asked">The id or the name of the node; null for none.</param>
    /// <param name="isShare">Whether the partition is this node's share still, so that it was not this node which asked.</param>
    /// <param name="partitionLog">Learns why the store does not say who waits.</param>
    /// <returns>Null for the first in the queue.</returns>
    public async Task<string?> FindSuccessorAsync(string lockName, string? asked, bool isShare, ServiceLog partitionLog) =>
        asked is null || (!isShare && service.View.Members.Any(member => member.NodeId == asked)) ? asked : await new LockQueue(lockName, inspector, time, partitionLog).FindAsync(asked).ConfigureAwait(false);

    public void Dispose() => _turns.Dispose();
}
