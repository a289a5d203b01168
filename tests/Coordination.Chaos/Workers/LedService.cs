using Coordination.Chaos.History;
using Coordination.Chaos.Resource;
using Coordination.TestKit.Clocks;

namespace Coordination.Chaos.Workers;

/// <summary>An exclusive background service that uses the resource under its lock, steps down now and then, and writes down what it believes.</summary>
internal sealed class LedService(string lockName, WorkerOptions options, HistoryFile history, Attempts attempts, ResourceClient resource) : ExclusiveBackgroundService
{
    private readonly Random _random = new(HashCode.Combine(options.Seed, lockName.Length, lockName[^1]));
    private readonly LedWork _work = new(options, history, resource, pause: TimeSpan.FromMilliseconds(20));
    private readonly Lock _gate = new();
    private ExclusiveTerm? _term;
    private long? _waiting;
    private bool _isAway;

    public string LockName => lockName;

    public bool Leads
    {
        get
        {
            lock (_gate)
            {
                return _term is not null;
            }
        }
    }

    /// <summary>Its node contends: it waits, unless it leads already.</summary>
    public void Contend()
    {
        lock (_gate)
        {
            _isAway = false;
            Wait();
        }
    }

    /// <summary>Its node contends no more.</summary>
    public void Leave()
    {
        lock (_gate)
        {
            _isAway = true;
            if (_waiting is { } attempt)
            {
                history.Write(EventKind.GaveUp, lockName, attempt);
                _waiting = null;
            }
        }
    }

    public void StepDown()
    {
        lock (_gate)
        {
            _term?.StepDown(TimeSpan.Zero);
        }
    }

    public override Task TermStoppedAsync(EndedTerm term)
    {
        lock (_gate)
        {
            _term = null;
            Wait();
        }

        return Task.CompletedTask;
    }

    protected override async Task ExecuteExclusiveAsync(ExclusiveTerm term, CancellationToken stoppingToken)
    {
        var attempt = Begin(term);
        var end = MachineClock.Now + (options.MaxHold * _random.NextDouble());
        await _work.RunAsync(term, attempt, StepDownIfDue, stoppingToken);

        void StepDownIfDue()
        {
            if (MachineClock.Now > end)
            {
                term.StepDown(TimeSpan.Zero);
            }
        }
    }

    private long Begin(ExclusiveTerm term)
    {
        lock (_gate)
        {
            var attempt = _waiting ?? attempts.Next();
            (_term, _waiting) = (term, null);
            history.Write(EventKind.Granted, lockName, attempt, term.FencingToken);
            return attempt;
        }
    }

    private void Wait()
    {
        if (!_isAway && _term is null && _waiting is null)
        {
            _waiting = attempts.Next();
            history.Write(EventKind.Waiting, lockName, _waiting.Value);
        }
    }
}
