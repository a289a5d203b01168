using Coordination.Hosting.Execution;
using Coordination.Hosting.Services;
using Coordination.Hosting.Telemetry;

namespace Coordination.Hosting.Terms;

/// <summary>
/// Keeps a node whose work fails from being preferred as the leader, for a time that doubles with each of its terms that failed in a row: the others would lose their work to it at each dwell time.
/// The node that fails is the one that knows, whichever nodes led meanwhile; it tells them by the rank that it stands in the queue with.
/// </summary>
/// <remarks>
/// The row is not that of <see cref="ServiceFailures"/>, which is forgotten while others lead: while a node abstains, they do, and for longer than that. A term that is told to stop, or whose lease is lost
/// to the store, is no failure. It says that the work goes well if it was as long as the node had to abstain for, or as long as a term may be, or its work came to its end.
/// </remarks>
internal sealed class Abstention(ExclusiveService service, TimeProvider time, ServiceLog log)
{
    /// <summary>What counts for a dwell time that is shorter.</summary>
    private static readonly TimeSpan ShortestDwell = TimeSpan.FromSeconds(5);

    /// <summary>The longest time that a timer of the platform takes, about.</summary>
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(49);

    /// <summary>After so many failures in a row the time doubles no more.</summary>
    private const int MostDoublings = 7;

    private int _failures;
    private long _failedAt;
    private bool _isStated;
    private bool _isTold;
    private bool _isPreferenceKnown;

    /// <summary>Whether it is not to be preferred at the moment.</summary>
    public bool Lasts => Left > TimeSpan.Zero;

    /// <summary>What the lease of this term says of this node.</summary>
    public LockOptions? Stated => _isStated ? (service.LockOptions ?? new LockOptions()) with { Rank = ExclusiveService.AbstainingRank } : service.LockOptions;

    private TimeSpan Length => _failures == 0 ? TimeSpan.Zero : LengthAfter(_failures);

    private TimeSpan Left => Length - (_failures == 0 ? TimeSpan.Zero : time.GetElapsedTime(_failedAt));

    /// <summary>Waits for the lock with the rank that this node has, and anew when that comes back: a place in the queue says what it said at first, and it is not by places that one is preferred.</summary>
    public async Task<ILockLease> AcquireAsync(CancellationToken stop)
    {
        if (Left is var left && left > TimeSpan.Zero)
        {
            _isStated = true;
            using var over = new CancellationTokenSource(left, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(over.Token, stop);
            try
            {
                return await service.AbstainingLock.AcquireAsync(either.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (over.IsCancellationRequested && !stop.IsCancellationRequested)
            {
                // A grant that came in the same moment was passed on.
            }
        }

        _isStated = false;
        if (_isTold)
        {
            _isTold = false;
            log.AbstainsNoMore();
        }

        return await service.Lock.AcquireAsync(stop).ConfigureAwait(false);
    }

    /// <summary>Learns how a term of this node ended.</summary>
    public void Ended(TermOutcome outcome)
    {
        // Where this node says nothing of it, others may: one that states a lower rank makes way for this one, and would at each dwell time.
        _isPreferenceKnown |= service.HasPreference || service.Leadership.Predecessor is { Leader.Rank: not 0 };
        if (!_isPreferenceKnown)
        {
            return;
        }

        if (outcome.IsFailure)
        {
            // One that lasted as long as a node abstains for at most was worth having, and its failure is the first again.
            _failures = outcome.Duration >= LengthAfter(MostDoublings) ? 1 : Math.Min(_failures + 1, MostDoublings);
            _failedAt = time.GetTimestamp();
            _isTold = true;
            log.Abstains(Length);
        }
        else if (outcome.End is WorkEnd.Completed or WorkEnd.MaxTermReached || outcome.Duration >= Length)
        {
            _failures = 0;
        }
    }

    private TimeSpan LengthAfter(int failures)
    {
        var dwell = service.Options.PreferenceDwell > ShortestDwell ? service.Options.PreferenceDwell : ShortestDwell;
        return dwell > LongestTimer / (1 << failures) ? LongestTimer : dwell * (1 << failures);
    }
}
