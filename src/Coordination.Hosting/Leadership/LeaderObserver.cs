using Coordination.Hosting.Telemetry;

namespace Coordination.Hosting.Leadership;

/// <summary>Asks the store who leads, once per lease duration, while this node does not and the store is not away.</summary>
internal sealed class LeaderObserver(ServiceLeadership leadership, LeaderQuestions questions, TimeSpan leaseDuration, TimeProvider time, ServiceLog log)
{
    private CancellationTokenSource? _observing;
    private Task _observation = Task.CompletedTask;
    private LeaderInfo? _seen;

    /// <summary>Begins to look; does nothing when it does already.</summary>
    public void Start(CancellationToken stop)
    {
        if (_observing is null)
        {
            _observing = CancellationTokenSource.CreateLinkedTokenSource(stop);
            _observation = ObserveAsync(_observing.Token);
        }
    }

    /// <summary>Ends the looking; when the task has completed, no late reply comes in any more.</summary>
    public async Task StopAsync()
    {
        if (_observing is not null)
        {
            await _observing.CancelAsync().ConfigureAwait(false);
            // Ends by being cancelled, and in no other way.
            await _observation.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _observing.Dispose();
            _observing = null;
        }
    }

    /// <summary>Makes the leader that is seen next worth a line of the log, although it may be the one that was seen last.</summary>
    public void Forget() => _seen = null;

    private async Task ObserveAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                var leader = questions.MayBeAsked(leadership.LockName) ? await AskAsync(cancellationToken).ConfigureAwait(false) : null;
                if (leadership.Saw(leader) && leader != _seen)
                {
                    _seen = leader;
                    log.SeesLeader(leader!);
                }
            }
            catch (NotSupportedException)
            {
                // The store has no administration, and will have none: who else leads is not to be learned here.
                return;
            }
            catch (Exception) when (!cancellationToken.IsCancellationRequested)
            {
                // The store is away, which the lock tells of. Nobody can say who leads until it is back.
                questions.Failed(leadership.LockName);
                leadership.Saw(null);
            }

            await Task.Delay(leaseDuration, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<LeaderInfo?> AskAsync(CancellationToken cancellationToken)
    {
        var leader = await leadership.GetLeaderAsync(cancellationToken).ConfigureAwait(false);
        questions.Replied(leadership.LockName);
        return leader;
    }
}
