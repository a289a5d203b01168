using Coordination.Chaos.Faults;
using Coordination.Chaos.Workers;

namespace Coordination.Chaos.Scenarios;

/// <summary>What is done to whom.</summary>
/// <param name="Name">As on the command line.</param>
/// <param name="Summary">For people.</param>
/// <param name="Faults">What may happen, each kind as often as it is listed.</param>
internal sealed record Scenario(string Name, string Summary, params IReadOnlyList<FaultKind> Faults)
{
    public ServerKind Server { get; init; } = ServerKind.InMemory;

    public bool IsOnPostgreSql => Server >= ServerKind.PostgreSql;

    /// <summary>Whether workers write in transactions that their leases guard.</summary>
    public bool IsGuarded => Faults.Contains(FaultKind.SuspendInTransaction);

    /// <summary>Short, so that a run sees many of them, and long enough for a machine that is busy with several runs.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How often leases are renewed, in leases.</summary>
    public double RenewalInterval { get; init; } = 1.0 / 3;

    /// <summary>Whether workers or the server have clocks of their own, which takes a compiler.</summary>
    public bool HasOwnClocks => WorkersHaveClocks || ServerHasClock;

    /// <summary>What it needs of the machine.</summary>
    public IReadOnlyList<Need> Needs => Server == ServerKind.PostgreSqlPooled ? [Need.PostgreSql, Need.PgBouncer] : IsOnPostgreSql ? [Need.PostgreSql] : HasOwnClocks ? [Need.RedisServer, Need.CCompiler] : [Need.RedisServer];

    public bool WorkersHaveClocks => Faults.Contains(FaultKind.SuspendMachine);

    public bool ServerHasClock => Faults.Any(kind => kind is FaultKind.SetClockForward or FaultKind.SetClockBack);

    /// <summary>How many worker processes there are.</summary>
    public int Workers { get; init; } = 3;

    /// <summary>How many locks each of them contends for, or how many partitions they share.</summary>
    public int Locks { get; init; } = 2;

    /// <summary>The mean time between a fault and the next, in leases.</summary>
    public double Pause { get; init; } = 0.6;

    /// <summary>Whether there are lulls between faults, for what does not recover by itself to show.</summary>
    public bool HasLulls { get; init; } = true;

    /// <summary>How long nothing happens at the end, in leases.</summary>
    public double Recovery { get; init; } = 1.5;

    /// <summary>The longest that a worker keeps a lock, in leases; mostly it keeps it much shorter.</summary>
    public double MaxHold { get; init; } = 2;

    /// <summary>How long a lease is renewed with no report of progress, in leases; null for as long as it is held.</summary>
    public double? ProgressTimeout { get; init; }

    /// <summary>What the workers do.</summary>
    public Workload Workload { get; init; }

    /// <summary>Whether all that happens in it is part of another scenario, with the same settings: a suite of tests runs that one, and this one is for whoever looks for a cause.</summary>
    public bool IsPartOfAnother { get; init; }

    /// <summary>How long it lasts in a suite of tests.</summary>
    public TimeSpan Brief { get; init; } = TimeSpan.FromSeconds(10);
}
