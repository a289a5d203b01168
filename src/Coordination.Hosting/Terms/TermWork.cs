using Coordination.Hosting.Execution;
using Coordination.Hosting.Leadership;
using Coordination.Hosting.Telemetry;

namespace Coordination.Hosting.Terms;

/// <summary>Does the work of one term and what stands around it, and asks for its end when the term is as long as it may be.</summary>
internal sealed class TermWork(ITermWork work, ILockLease lease, WorkEnding ending, TimeProvider time, ServiceLog log)
{
    private ExclusiveTerm? _term;

    /// <summary>How long it lasts at most; null for no limit.</summary>
    public TimeSpan? MaxTerm { get; init; }

    /// <summary>What was prepared for it; null for a service that prepares nothing.</summary>
    public Preparation? Preparation { get; init; }

    /// <summary>Of which partition it is; null for a service that has none.</summary>
    public string? Partition { get; init; }

    /// <summary>Ends as the work does, or the hook before it, and throws what they do.</summary>
    public async Task RunAsync(IServiceProvider services, CancellationToken stoppingToken)
    {
        _term = new ExclusiveTerm(lease, services, ending, Partition) { Prepared = Preparation?.Current };
        using var limit = MaxTerm is { } longest
            ? time.CreateTimer(static ending => ((WorkEnding)ending!).Ask(WorkEnd.MaxTermReached, TimeSpan.Zero), ending, longest, Timeout.InfiniteTimeSpan)
            : null;
        await work.TermStartingAsync(_term, stoppingToken).ConfigureAwait(false);

        if (ending.IsAsked)
        {
            // What has been told to stop does not begin.
            throw new OperationCanceledException(stoppingToken);
        }

        await work.RunTermAsync(_term, stoppingToken).ConfigureAwait(false);
    }

    /// <summary>What comes after the work while the lease is still watched. Throws nothing.</summary>
    public async Task StoppingAsync()
    {
        if (_term is { } term)
        {
            await CallAsync(nameof(work.TermStoppingAsync), () => work.TermStoppingAsync(term, lease.Lost)).ConfigureAwait(false);
        }

        if (Preparation is not null)
        {
            await Preparation.DropAsync().ConfigureAwait(false);
        }
    }

    /// <summary>What comes after the release. Throws nothing.</summary>
    /// <param name="outcome">How the term ended.</param>
    /// <param name="release">What the release found.</param>
    /// <param name="failure">What the work threw; null for nothing.</param>
    public async Task StoppedAsync(TermOutcome outcome, ReleaseResult release, Exception? failure)
    {
        // Where the container was disposed already, there was no term for the service.
        if (_term is not null)
        {
            var ended = new EndedTerm
            {
                LockName = lease.LockName,
                FencingToken = lease.FencingToken,
                Instance = lease.Permit ?? 0,
                Partition = Partition,
                Cause = ServiceLeadership.CauseOf(outcome.End),
                Duration = outcome.Duration,
                Release = release,
                Failure = failure,
            };
            await CallAsync(nameof(work.TermStoppedAsync), () => work.TermStoppedAsync(ended)).ConfigureAwait(false);
        }
    }

    private async Task CallAsync(string hook, Func<Task> call)
    {
        try
        {
            await call().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (lease.Lost.IsCancellationRequested)
        {
            // It was told that the lease is lost, and ended by that.
        }
        catch (Exception exception)
        {
            // The work has ended, and how it did stays: what comes after it keeps no lock, and is no failure of the term.
            log.HookFailed(exception, hook, lease);
        }
    }
}
