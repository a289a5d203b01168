namespace Coordination.Hosting.Tests.Nodes;

/// <summary>What a node does as the leader: by default it works until it is told to stop. Notes what it saw.</summary>
internal sealed class Work
{
    private readonly TaskCompletionSource _letGo = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile int _terms;
    private volatile int _running;
    private volatile ExclusiveTerm? _term;

    public Work() => Do = UntilToldAsync;

    public Func<ExclusiveTerm, CancellationToken, Task> Do { get; set; }

    /// <summary>How many terms began.</summary>
    public int Terms => _terms;

    public bool IsRunning => _running > 0;

    /// <summary>The token of the term was cancelled.</summary>
    public bool WasTold { get; private set; }

    public ExclusiveTerm Term => _term ?? throw new InvalidOperationException("There was no term yet.");

    public static Task UntilToldAsync(ExclusiveTerm term, CancellationToken stoppingToken) => Task.Delay(Timeout.Infinite, stoppingToken);

    /// <summary>Work that goes on after it was told to stop, until <see cref="LetGo"/>.</summary>
    public Task UntilLetGoAsync(ExclusiveTerm term, CancellationToken stoppingToken) => _letGo.Task;

    public void LetGo() => _letGo.TrySetResult();

    public async Task RunAsync(ExclusiveTerm term, CancellationToken stoppingToken)
    {
        _term = term;
        WasTold = false;
        using var told = stoppingToken.Register(() => WasTold = true);
        Interlocked.Increment(ref _terms);

        // Begun before it says that it runs: a test may then change what the next term does.
        var work = Do(term, stoppingToken);
        Interlocked.Increment(ref _running);
        try
        {
            await work;
        }
        finally
        {
            Interlocked.Decrement(ref _running);
        }
    }
}
