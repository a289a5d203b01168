using Coordination.Hosting.Eligibility;
using Coordination.Hosting.Execution;
using Coordination.Hosting.Leadership;
using Coordination.Hosting.Runners;
using Coordination.Hosting.Services;
using Coordination.Hosting.Telemetry;
using Polly;

namespace Coordination.Hosting.Terms;

/// <summary>
/// Takes one exclusive service through its terms: stand by, lead, await the work, release, and again, until the host stops.
/// </summary>
/// <remarks>Two rules stand above all else: the lock is never released while the work is running, and nothing but the host's stop ends the loop.</remarks>
internal sealed class TermLoop(
    ExclusiveService service, ExclusiveBackgroundService work, LeasedWork leased, LeaderObserver observer, Abstention abstention, Succession succession, FailureLimit failures, TimeProvider time, ServiceLog log)
    : IServiceLoop
{
    /// <summary>How long it waits at least before it asks again for a lock that others use with another number of leaders; twice that at most.</summary>
    private static readonly TimeSpan DeferredDelay = TimeSpan.FromSeconds(1);

    private readonly ResiliencePipeline<TermOutcome> _restart = RestartBackoff.Create(service.Options, time);
    private readonly Preparation _preparation = new(work, log);
    private string? _refusal;
    private LockCapacity? _inUseAs;

    public TimeSpan LeaseDuration => service.LeaseDuration;

    public Task Abandoned => leased.Abandoned;

    public ServiceLog Log => log;

    public bool HoldsLock => service.Leadership.IsInTerm;

    public void EndUnbegun() => service.Leadership.End();

    /// <summary>Ends when the stop was requested and the work has returned.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            observer.Start(stop);
            while (!stop.IsCancellationRequested)
            {
                var outcome = await _restart.ExecuteAsync(NextTermAsync, stop).ConfigureAwait(false);
                if (outcome.IsFailure)
                {
                    // The first failure after a good run.
                    await Task.Delay(RestartBackoff.Delay(service.Options, failuresBefore: 0), time, stop).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The host stops while the service stays away.
        }
        finally
        {
            await observer.StopAsync().ConfigureAwait(false);
            await _preparation.DropAsync().ConfigureAwait(false);
            service.Leadership.End();
        }
    }

    private async ValueTask<TermOutcome> NextTermAsync(CancellationToken stop)
    {
        var outcome = await ContendAsync(stop).ConfigureAwait(false);
        if (outcome.End == WorkEnd.Completed && service.Options.AfterCompletion == CompletionAction.Never)
        {
            service.Leadership.Enter(ServicePhase.Completed);
            log.Completed();
            await Task.Delay(Timeout.InfiniteTimeSpan, time, stop).ConfigureAwait(false);
        }

        var pause = outcome.End == WorkEnd.Completed && service.Options.AfterCompletion == CompletionAction.Pause ? service.Options.CompletionPause : TimeSpan.Zero;
        if (pause > TimeSpan.Zero || outcome.StayAway > TimeSpan.Zero)
        {
            service.Leadership.Enter(ServicePhase.Pausing);

            // Who is asked to stay away for too long can be had back: a node that may lead no more, and then may, contends again.
            using var until = CancellationTokenSource.CreateLinkedTokenSource(stop, service.Switch.Contending);
            await Task.WhenAll(Task.Delay(pause, time, stop), Task.Delay(outcome.StayAway, time, until.Token)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            stop.ThrowIfCancellationRequested();
        }

        return outcome;
    }

    /// <summary>Stands by and does one term. Throws nothing, whatever the work or the store does.</summary>
    private async Task<TermOutcome> ContendAsync(CancellationToken stop)
    {
        var began = time.GetTimestamp();
        var (contending, ending) = (CancellationToken.None, (CancellationTokenSource?)null);
        try
        {
            contending = await MayLeadAsync(stop).ConfigureAwait(false);
            ending = CancellationTokenSource.CreateLinkedTokenSource(stop, contending);
            if (await PrepareAsync(ending.Token).ConfigureAwait(false) is { } failed)
            {
                return failed;
            }

            began = time.GetTimestamp();
            using var turn = service.Switch.TryBegin();
            return turn is null || ending.IsCancellationRequested ? Left(began) : await TakeTurnAsync(turn, ending.Token, stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested || contending.IsCancellationRequested)
        {
            return Left(began);
        }
        catch (Exception exception)
        {
            // What does not pass by itself, such as a wrong password: somebody may correct it while the host runs.
            var outcome = new TermOutcome(WorkEnd.Refused, time.GetElapsedTime(began));
            service.Leadership.Enter(ServicePhase.BackingOff);
            Refused(exception, outcome.Duration);
            Count(outcome, exception);
            return outcome;
        }
        finally
        {
            ending?.Dispose();
        }
    }

    /// <summary>Neither led nor failed: the host stops, or the node may not lead any more.</summary>
    private TermOutcome Left(long began) => new(WorkEnd.Stopped, time.GetElapsedTime(began));

    /// <summary>Waits until the node may lead.</summary>
    /// <returns>Cancelled when it may no more.</returns>
    private async Task<CancellationToken> MayLeadAsync(CancellationToken stop)
    {
        var contending = service.Switch.Contending;
        if (contending.IsCancellationRequested)
        {
            service.Leadership.Enter(ServicePhase.Ineligible);
            await observer.StopAsync().ConfigureAwait(false);
            await _preparation.DropAsync().ConfigureAwait(false);
            (_refusal, _inUseAs) = (null, null);
            log.MayNotLead(service.Switch.IsDrained ? "the node is drained" : "CanLead is false");
            await service.Switch.WaitAsync(stop).ConfigureAwait(false);
            observer.Start(stop);
            contending = service.Switch.Contending;
        }

        return contending;
    }

    private async Task<TermOutcome> TakeTurnAsync(LeadTurn turn, CancellationToken contending, CancellationToken stop)
    {
        var lease = await StandByAsync(contending).ConfigureAwait(false);
        await using (lease.ConfigureAwait(false))
        {
            (_refusal, _inUseAs) = (null, null);
            return stop.IsCancellationRequested || turn.Contending.IsCancellationRequested
                ? await DeclineAsync(lease).ConfigureAwait(false)
                : await LeadAsync(lease, turn, stop).ConfigureAwait(false);
        }
    }

    /// <returns>The failure, if it is one.</returns>
    private async Task<TermOutcome?> PrepareAsync(CancellationToken stop)
    {
        var began = time.GetTimestamp();
        try
        {
            await _preparation.PrepareAsync(Begun, stop).ConfigureAwait(false);
            return null;
        }
        catch (Exception exception) when (!(exception is OperationCanceledException && stop.IsCancellationRequested))
        {
            var duration = time.GetElapsedTime(began);
            service.Leadership.Enter(ServicePhase.BackingOff);
            log.PreparationFailed(exception, duration);
            failures.Failed(exception, duration);

            // However long it took: it was no term.
            return new TermOutcome(WorkEnd.Failed, TimeSpan.Zero);
        }

        void Begun()
        {
            service.Leadership.Enter(ServicePhase.Preparing);
            log.Prepares();
        }
    }

    private async Task<ILockLease> StandByAsync(CancellationToken stop)
    {
        service.Leadership.Enter(ServicePhase.Standby);
        if (_refusal is null)
        {
            log.StandsBy();
        }

        var lease = await AcquireAsync(stop).ConfigureAwait(false);
        await observer.StopAsync().ConfigureAwait(false);
        return lease;
    }

    /// <summary>Waits for the lock, and until those have gone who use it with another number of leaders: that is no failure.</summary>
    private async Task<ILockLease> AcquireAsync(CancellationToken stop)
    {
        while (true)
        {
            var began = time.GetTimestamp();
            try
            {
                return await abstention.AcquireAsync(stop).ConfigureAwait(false);
            }
            catch (LockStoreException exception) when (exception.InUseAs is { } inUseAs)
            {
                Deferred(inUseAs, time.GetElapsedTime(began));
            }

            await Task.Delay(DeferredDelay + (Random.Shared.NextDouble() * DeferredDelay), time, stop).ConfigureAwait(false);
        }
    }

    private async Task<TermOutcome> DeclineAsync(ILockLease lease)
    {
        var release = await lease.ReleaseAsync(CancellationToken.None).ConfigureAwait(false);
        log.Declined(lease, release);
        return new TermOutcome(WorkEnd.Stopped, TimeSpan.Zero);
    }

    private async Task<TermOutcome> LeadAsync(ILockLease lease, LeadTurn turn, CancellationToken stop)
    {
        var began = time.GetTimestamp();
        var ending = new WorkEnding(lease, log, stop);
        service.Leadership.Lead(lease, ending, abstention.Stated);
        log.Leads(lease, service.Leadership.Predecessor);
        await using var asked = ending.ObeyStepDown().ConfigureAwait(false);
        using var ended = new CancellationTokenSource();
        var watching = succession.WatchAsync(lease, ending, ended.Token);
        WorkResult result;
        await using var told = turn.Leading.UnsafeRegister(static ending => ((WorkEnding)ending!).Ask(WorkEnd.SteppedDown, TimeSpan.Zero), ending).ConfigureAwait(false);
        var term = new TermWork(work, lease, ending, time, log) { MaxTerm = service.Options.MaxTerm, Preparation = _preparation };
        try
        {
            result = await leased.RunAsync(
                lease,
                ending,
                term.RunAsync,
                onLost: () => Lost(turn, stop),
                onOverdue: () => service.Leadership.Enter(ServicePhase.Overdue),
                term.StoppingAsync).ConfigureAwait(false);
            await _preparation.DropAsync().ConfigureAwait(false);
        }
        finally
        {
            // It would look at the queue for ever, and at that of another node's term.
            await ended.CancelAsync().ConfigureAwait(false);
            await watching.ConfigureAwait(false);
        }

        // The token tells of the first request alone.
        ending.Hear();
        var outcome = TermOutcome.Of(result, lease, time.GetElapsedTime(began), ending.StayAway);

        var successor = lease.State == LeaseState.Lost ? null : await succession.FindAsync(ending.Successor).ConfigureAwait(false);

        // Nobody sees this node lead after the next one does.
        service.Leadership.Enter(outcome.IsFailure ? ServicePhase.BackingOff : ServicePhase.Ended, outcome.End);
        var release = await lease.ReleaseAsync(successor, CancellationToken.None).ConfigureAwait(false);
        service.Leadership.Released();
        observer.Start(stop);
        if (successor is not null)
        {
            log.PassesTo(successor, lease);
        }

        log.Ended(lease, outcome, release, result.Failure);
        abstention.Ended(outcome);
        Count(outcome, result.Failure ?? (outcome.Hung ? new LeaseLostException(lease) : null));
        await term.StoppedAsync(outcome, release, result.Failure).ConfigureAwait(false);
        return outcome;
    }

    private void Lost(LeadTurn turn, CancellationToken stop)
    {
        // The lock is another's, or will be: a drain of the node has nothing to wait for here, however long the work goes on.
        turn.Dispose();
        service.Leadership.Enter(ServicePhase.Lost);
        observer.Start(stop);
    }

    private void Count(TermOutcome outcome, Exception? failure)
    {
        if (outcome.IsFailure)
        {
            // How long it was refused for is no time in which the work ran.
            failures.Failed(failure, outcome.End == WorkEnd.Refused ? TimeSpan.Zero : outcome.Duration);
        }
        else
        {
            failures.Succeeded();
        }
    }

    private void Deferred(LockCapacity inUseAs, TimeSpan waited)
    {
        service.Leadership.Defer(inUseAs);

        // As below: one that stood in the queue meanwhile has something new to say.
        if (inUseAs != _inUseAs || waited > service.LeaseDuration)
        {
            (_refusal, _inUseAs) = (null, inUseAs);
            observer.Forget();
            log.Defers(service.Options.Instances, inUseAs);
        }
    }

    private void Refused(Exception exception, TimeSpan waited)
    {
        // A wait that outlasted a lease was not refused at first, so this is news. The same refusal at every try is not.
        var refusal = $"{exception.GetType().Name}: {exception.Message}";
        if (refusal != _refusal || waited > service.LeaseDuration)
        {
            (_refusal, _inUseAs) = (refusal, null);
            observer.Forget();
            log.Refused(refusal);
        }
    }
}
