namespace Coordination.Hosting.Eligibility;

/// <summary>
/// Whether this node may lead in one piece of exclusive work: by its options, by what was said at run time, and by the drain of the node. Knows as well whether it contends or leads at this
/// moment. Safe for use by several threads.
/// </summary>
/// <param name="canLead">What the options say at the start.</param>
internal sealed class LeadSwitch(bool canLead)
{
    private readonly Lock _gate = new();
    private bool _option = canLead;
    private bool? _atRunTime;
    private bool _isDrained;
    private bool _givesAway;
    private volatile bool _givesAwayMore;
    private int _turns;
    private CancellationTokenSource _contending = Source(isOn: canLead);
    private CancellationTokenSource _leading = Source(isOn: canLead);
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Called after each change, for whoever acts on more than the tokens say. It neither blocks nor throws.</summary>
    public Action Changed { get; set; } = static () => { };

    /// <summary>Whether it may begin to lead.</summary>
    public bool CanLead
    {
        get
        {
            lock (_gate)
            {
                return !_contending.IsCancellationRequested;
            }
        }
    }

    /// <summary>Whether the node is drained.</summary>
    public bool IsDrained
    {
        get
        {
            lock (_gate)
            {
                return _isDrained;
            }
        }
    }

    /// <summary>Cancelled when it may begin to lead no more. Another one after that.</summary>
    public CancellationToken Contending
    {
        get
        {
            lock (_gate)
            {
                return _contending.Token;
            }
        }
    }

    /// <summary>Whether something that is led was not told yet that it is to end, because what is led gives away one after the other by itself.</summary>
    public bool GivesAwayMore
    {
        get => _givesAwayMore;
        set => _givesAwayMore = value;
    }

    /// <summary>What the options say.</summary>
    public void SetOption(bool canLead) => Change(() => _option = canLead);

    /// <summary>What counts instead of the options; null for them.</summary>
    public void SetAtRunTime(bool? canLead) => Change(() => _atRunTime = canLead);

    /// <summary>The node is drained: nothing new is led.</summary>
    public void Drain() => Change(() => _isDrained = true);

    /// <summary>What is led is given away, as the drain has come to it.</summary>
    public void GiveAway() => Change(() => _givesAway = true);

    /// <summary>The node is drained no more.</summary>
    public void Resume() => Change(() => (_isDrained, _givesAway) = (false, false));

    /// <summary>Waits until it may begin to lead.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                if (!_contending.IsCancellationRequested)
                {
                    return;
                }

                changed = _changed.Task;
            }

            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Completes when it neither contends nor leads. New turns may begin after that.</summary>
    public Task IdleAsync()
    {
        lock (_gate)
        {
            return _turns == 0 ? Task.CompletedTask : _idle.Task;
        }
    }

    /// <summary>It begins to contend, and ends with what is returned, when it has released what it led, or lost it.</summary>
    /// <returns>Null when it may not.</returns>
    public LeadTurn? TryBegin()
    {
        lock (_gate)
        {
            if (_contending.IsCancellationRequested)
            {
                return null;
            }

            _turns++;
            return new LeadTurn(this, _contending.Token, _leading.Token);
        }
    }

    public void End()
    {
        lock (_gate)
        {
            if (--_turns == 0)
            {
                _idle.TrySetResult();
                _idle = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }
    }

    private static CancellationTokenSource Source(bool isOn)
    {
        var source = new CancellationTokenSource();
        if (!isOn)
        {
            source.Cancel();
        }

        return source;
    }

    private static void Set(ref CancellationTokenSource source, bool isOn)
    {
        if (isOn && source.IsCancellationRequested)
        {
            source = new CancellationTokenSource();
        }
        else if (!isOn)
        {
            // The token turns cancelled here and now; callbacks go to the pool, and not on inside the gate.
            _ = source.CancelAsync();
        }
    }

    private void Change(Action change)
    {
        lock (_gate)
        {
            change();
            var mayLead = _atRunTime ?? _option;
            Set(ref _contending, mayLead && !_isDrained);
            Set(ref _leading, mayLead && !_givesAway);
            _changed.TrySetResult();
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        Changed();
    }
}
