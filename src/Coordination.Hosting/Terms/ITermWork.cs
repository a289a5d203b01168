namespace Coordination.Hosting.Terms;

/// <summary>What a service does in each of its terms, and around it.</summary>
internal interface ITermWork
{
    /// <summary>Before the work.</summary>
    Task TermStartingAsync(ExclusiveTerm term, CancellationToken cancellationToken);

    /// <summary>The work.</summary>
    Task RunTermAsync(ExclusiveTerm term, CancellationToken stoppingToken);

    /// <summary>After the work, while the lock is held.</summary>
    Task TermStoppingAsync(ExclusiveTerm term, CancellationToken cancellationToken);

    /// <summary>After the release.</summary>
    Task TermStoppedAsync(EndedTerm term);
}
