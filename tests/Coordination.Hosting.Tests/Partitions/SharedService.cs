namespace Coordination.Hosting.Tests.Partitions;

/// <summary>The service under test. Its partitions are what a test says, or the number in its options.</summary>
internal sealed class SharedService(PartitionWorkOfAll work, PartitionNames names) : PartitionedBackgroundService
{
    public const string LockName = "Coordination.Hosting.Tests/Coordination.Hosting.Tests.Partitions.SharedService";

    public override Task TermStartingAsync(ExclusiveTerm term, CancellationToken cancellationToken) => work.Hooks.Starting(term, cancellationToken);

    public override Task TermStoppingAsync(ExclusiveTerm term, CancellationToken cancellationToken) => work.Hooks.Stopping(term, cancellationToken);

    public override Task TermStoppedAsync(EndedTerm term) => work.Hooks.Stopped(term);

    protected override Task ExecutePartitionAsync(ExclusiveTerm term, CancellationToken stoppingToken) => work.RunAsync(term, stoppingToken);

    protected override Task<IReadOnlyCollection<string>?> GetPartitionsAsync(CancellationToken cancellationToken) =>
        names.AskAsync(cancellationToken);
}

/// <summary>The partitions that there are, as in a database.</summary>
internal sealed class PartitionNames
{
    /// <summary>Null for the number in the options.</summary>
    public volatile IReadOnlyCollection<string>? Now;

    /// <summary>What asking for them throws; null for nothing.</summary>
    public volatile Exception? Fault;

    /// <summary>Asking for them waits for this.</summary>
    public volatile Task Gate = Task.CompletedTask;

    /// <summary>Whether who waits looks at its token.</summary>
    public volatile bool LooksAtToken;

    private int _calls;

    /// <summary>How often they were asked for.</summary>
    public int Calls => Volatile.Read(ref _calls);

    public async Task<IReadOnlyCollection<string>?> AskAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _calls);
        await (LooksAtToken ? Gate.WaitAsync(cancellationToken) : Gate);
        return Fault is { } fault ? throw fault : Now;
    }
}
