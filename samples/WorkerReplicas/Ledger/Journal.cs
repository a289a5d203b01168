using SampleKit.Processes;
using SampleKit.Timeline;

namespace WorkerReplicas.Ledger;

/// <summary>
/// What the ledger keeps: the terms that wrote to it, and the one rule that guards it: a token lower than one it has seen is refused.
/// </summary>
internal sealed class Journal
{
    private readonly Lock _gate = new();
    private readonly List<Term> _terms = [];
    private readonly List<Fire> _fires = [];
    private long _highestToken;
    private TaskCompletionSource _changed = NewSignal();

    /// <summary>A term has begun. The second is the term before it, if there was one.</summary>
    public event Action<Term, Term?>? TermBegan;

    /// <summary>A replica has said that it no longer works as the leader.</summary>
    public event Action<Term>? TermEnded;

    /// <summary>A line was refused.</summary>
    public event Action<Term>? LineRefused;

    /// <summary>A replica has begun to run the scheduled job.</summary>
    public event Action<Fire>? FireBegan;

    /// <summary>The runs of the scheduled job, in the order in which they came to the ledger.</summary>
    public IReadOnlyList<Fire> Fires
    {
        get
        {
            lock (_gate)
            {
                return [.. _fires];
            }
        }
    }

    /// <summary>The terms, in the order in which they came to the ledger.</summary>
    public IReadOnlyList<Term> Terms
    {
        get
        {
            lock (_gate)
            {
                return [.. _terms];
            }
        }
    }

    public Term Begin(string replica, long token, TimeSpan at)
    {
        Term? before;
        var term = new Term(replica, token, at);
        lock (_gate)
        {
            before = _terms.LastOrDefault();
            term.TokenGrew = _terms.TrueForAll(t => t.Token < token);
            _terms.Add(term);
            SignalChange();
        }

        TermBegan?.Invoke(term, before);
        return term;
    }

    public Fire BeginFire(string replica, DateTimeOffset time, long token)
    {
        var fire = new Fire(replica, time, token);
        lock (_gate)
        {
            _fires.Add(fire);
        }

        FireBegan?.Invoke(fire);
        return fire;
    }

    public void EndFire(Fire fire)
    {
        lock (_gate)
        {
            fire.IsDone = true;
        }
    }

    /// <summary>Writes a line down, or refuses it.</summary>
    public bool Append(Term term)
    {
        bool accepted;
        lock (_gate)
        {
            accepted = term.Token >= _highestToken;
            if (accepted)
            {
                _highestToken = term.Token;
                term.Written++;
            }
            else
            {
                term.Refused++;
            }

            SignalChange();
        }

        if (!accepted)
        {
            LineRefused?.Invoke(term);
        }

        return accepted;
    }

    /// <summary>Notes that the replica said that its term is over.</summary>
    public void End(Term term, TimeSpan at)
    {
        lock (_gate)
        {
            term.EndedAt = at;
            SignalChange();
        }

        TermEnded?.Invoke(term);
    }

    /// <summary>Notes that the connection is gone, with or without a word.</summary>
    public void Close(Term term)
    {
        lock (_gate)
        {
            term.EndedAt ??= MonotonicClock.Now;
            SignalChange();
        }
    }

    /// <summary>Waits until something is found in the journal.</summary>
    /// <param name="find">Looks for it whenever the journal has changed; null when it is not there.</param>
    /// <param name="expected">What is looked for, in words.</param>
    /// <param name="timeout">How long it may take.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TimeoutException">It did not come in time.</exception>
    public async Task<T> WhenAsync<T>(Func<IReadOnlyList<Term>, T?> find, string expected, TimeSpan timeout, CancellationToken cancellationToken)
        where T : class
    {
        var until = MonotonicClock.Now + timeout;
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                if (find(_terms) is { } found)
                {
                    return found;
                }

                changed = _changed.Task;
            }

            var left = until - MonotonicClock.Now;
            if (left <= TimeSpan.Zero)
            {
                throw new TimeoutException($"{expected} within {Format.Seconds(timeout)}.");
            }

            await changed.WaitAsync(left, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void SignalChange()
    {
        var changed = _changed;
        _changed = NewSignal();
        changed.SetResult();
    }
}
