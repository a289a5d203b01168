using Coordination.Chaos.Workers;

namespace Coordination.Chaos.Checking;

/// <summary>What a lock of the run promises, and by which figures.</summary>
internal sealed record RunSettings
{
    public required TimeSpan Lease { get; init; }

    public required TimeSpan Margin { get; init; }

    public required TimeSpan ClaimWindow { get; init; }

    public required TimeSpan RenewalInterval { get; init; }

    /// <summary>How long a lease is renewed with no report of progress; null for as long as it is held.</summary>
    public TimeSpan? ProgressTimeout { get; init; }

    /// <summary>Whether grants carry tokens, and waiters are served in turn and within the lease.</summary>
    public required bool IsOurs { get; init; }

    /// <summary>Whether waiters are served within the lease.</summary>
    public bool Serves { get; init; }

    /// <summary>Whether a server that takes over is to have every grant.</summary>
    public bool LosesNothing { get; init; }

    public Workload Workload { get; init; }

    public int Workers { get; init; }

    /// <summary>The locks of the partitions that the workers share; none where they do something else.</summary>
    public IReadOnlyList<string> Partitions { get; init; } = [];

    /// <summary>How often workers look which of them share the partitions.</summary>
    public TimeSpan BalanceInterval { get; init; }
}
