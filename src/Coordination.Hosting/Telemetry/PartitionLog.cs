using Coordination.Hosting.Execution;
using Coordination.Hosting.Partitions;
using Coordination.Hosting.Terms;
using Microsoft.Extensions.Logging;

namespace Coordination.Hosting.Telemetry;

/// <summary>
/// What an operator reads of one partitioned service: a line per change of state of the service, whatever the number of its partitions, and one for each failure of the work of a partition.
/// </summary>
internal sealed class PartitionLog(ILogger logger, string service, string lockName)
{
    private readonly Lock _gate = new();
    private string? _refusal;
    private string? _trouble;
    private string? _listTrouble;
    private NamesLeftOut? _leftOut;
    private (int Led, int Share, int Partitions, int Members) _state;
    private int _lost;

    /// <summary>The log of one partition's work.</summary>
    public ServiceLog Of(string partition, string partitionLock) => new(logger, $"{service}[{partition}]", partitionLock, LogLevel.Debug);

    /// <summary>The log of the work of several partitions, where nobody waits for it any more.</summary>
    /// <param name="runs">Whose work it is; none for what is no work of a partition.</param>
    public ServiceLog Of(IReadOnlyList<PartitionRun> runs) => runs switch
    {
        [] => new(logger, service, lockName),
        [var run] => new(logger, $"{service}[{run.Partition}]", run.LockName),
        [var run, ..] => new(logger, $"{service}[{run.Partition}], and {runs.Count - 1} more of its partitions,", run.LockName),
    };

    /// <param name="partitionLock">The lock of work that has not ended.</param>
    public void PassesOver(string partitionLock) => logger.DrainPassesOver(partitionLock, NodeDrain.Patience);

    public void Joined(string nodeId) => logger.PartitionsJoined(service, lockName, nodeId);

    public void TakesNoPart(string reason) => logger.PartitionsTakesNoPart(service, lockName, reason);

    public void MembershipLost(LeaseLossReason? reason) => logger.PartitionsMembershipLost(service, lockName, reason);

    /// <summary>Says in sum what has changed since it was called last. For one caller at a time.</summary>
    public void Sum(int led, int share, int partitions, int members)
    {
        if (Interlocked.Exchange(ref _lost, 0) is > 0 and var lost)
        {
            logger.PartitionsLost(service, lockName, lost);
        }

        if (_state != (led, share, partitions, members))
        {
            _state = (led, share, partitions, members);
            logger.PartitionsLed(service, lockName, led, share, partitions, members);
        }
    }

    public void Leads(ILockLease lease) => logger.PartitionLeads(service, lease.LockName, lease.FencingToken);

    /// <summary>A partition's lease was lost while its work ran.</summary>
    public void Lost() => Interlocked.Increment(ref _lost);

    public void Ended(PartitionRun run, ILockLease lease, TermOutcome outcome, ReleaseResult release, Exception? failure, string? successor)
    {
        if (outcome.End == WorkEnd.Failed)
        {
            logger.PartitionFailed(failure, service, run.Partition, lease.LockName, lease.FencingToken, outcome.Duration, release);
        }
        else
        {
            logger.PartitionEnded(service, lease.LockName, lease.FencingToken, outcome.Duration, outcome.End, release, failure?.GetType().Name, successor);
        }
    }

    /// <summary>The store refused a lock in a way that does not pass by itself. The same refusal of many locks is said once.</summary>
    public void Refused(Exception exception)
    {
        // Without the name of the lock, which each has its own of.
        var refusal = exception is LockStoreException { Cause: { } cause } ? cause : exception.GetType().Name;
        lock (_gate)
        {
            if (refusal == _refusal)
            {
                return;
            }

            _refusal = refusal;
        }

        logger.Refused(service, lockName, exception.Message);
    }

    /// <summary>The members cannot be read, or the node cannot become one.</summary>
    public void CannotBalance(Exception exception)
    {
        if (_trouble != exception.GetType().Name)
        {
            _trouble = exception.GetType().Name;
            logger.PartitionsCannotBalance(service, lockName, exception.Message);
        }
    }

    public void Balances()
    {
        lock (_gate)
        {
            _refusal = null;
        }

        if (_trouble is not null)
        {
            _trouble = null;
            logger.PartitionsBalanceAgain(service, lockName);
        }
    }

    public void CannotList(Exception exception)
    {
        var trouble = $"{exception.GetType().Name}: {exception.Message}";
        if (_listTrouble != trouble)
        {
            _listTrouble = trouble;
            logger.PartitionsCannotList(exception, service, lockName);
        }
    }

    public void ListsAgain()
    {
        if (_listTrouble is not null)
        {
            _listTrouble = null;
            logger.PartitionsListAgain(service, lockName);
        }
    }

    /// <summary>There are names for which there is no lock. The same ones are said once.</summary>
    /// <param name="names">Null for none.</param>
    public void LeavesOut(NamesLeftOut? names)
    {
        if (_leftOut == names)
        {
            return;
        }

        _leftOut = names;
        if (names is not null)
        {
            logger.PartitionsLeavesOut(service, lockName, names.Count, names.First);
        }
        else
        {
            logger.PartitionsLeavesOutNoMore(service, lockName);
        }
    }

    public void LoopFailed(Exception exception) => logger.PartitionsLoopFailed(exception, service, lockName);
}
