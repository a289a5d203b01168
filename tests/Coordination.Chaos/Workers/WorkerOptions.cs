using Coordination.Chaos.Contenders;

namespace Coordination.Chaos.Workers;

/// <summary>What a worker process is to do, as it stands on its command line.</summary>
internal sealed record WorkerOptions
{
    /// <summary>The worker and how often it was started, as in w1.2.</summary>
    public required string Process { get; init; }

    public required ContenderKind Contender { get; init; }

    /// <summary>Where it finds the server, or its proxy.</summary>
    public required string Server { get; init; }

    /// <summary>Whether that is PostgreSQL, and not Redis.</summary>
    public bool IsOnPostgreSql { get; init; }

    /// <summary>Whether its connections to PostgreSQL are given out by transaction.</summary>
    public bool IsPooled { get; init; }

    /// <summary>Whether it writes in transactions that its leases guard.</summary>
    public bool IsGuarded { get; init; }

    public required string Prefix { get; init; }

    public required Workload Workload { get; init; }

    /// <summary>The locks it contends for, each in a loop or a service of its own, or those of the partitions that it shares. None for a worker that runs a schedule.</summary>
    public required IReadOnlyList<string> Locks { get; init; }

    public required TimeSpan Lease { get; init; }

    public required TimeSpan RenewalInterval { get; init; }

    public required TimeSpan Margin { get; init; }

    public required TimeSpan ClaimWindow { get; init; }

    /// <summary>The longest that it keeps a lock; mostly it keeps it much shorter.</summary>
    public required TimeSpan MaxHold { get; init; }

    /// <summary>How long a lease is renewed with no report of progress; null for as long as it is held.</summary>
    public TimeSpan? ProgressTimeout { get; init; }

    public required int ResourcePort { get; init; }

    /// <summary>Where its history belongs.</summary>
    public required string HistoryFile { get; init; }

    public required int Seed { get; init; }

    /// <summary>How far its wall clock is ahead of the machine's.</summary>
    public TimeSpan ClockAhead { get; init; }
}
