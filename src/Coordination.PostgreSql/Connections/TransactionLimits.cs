using System.Globalization;

namespace Coordination.PostgreSql.Connections;

/// <summary>How long a transaction of the store may take.</summary>
internal sealed class TransactionLimits
{
    /// <summary>Between two statements of a transaction there is nothing but a calculation, and the way to the server and back.</summary>
    private static readonly TimeSpan ShortestIdleLimit = TimeSpan.FromSeconds(1);

    private const int TurnsInLease = 12;
    private static readonly TimeSpan LongestTurn = TimeSpan.FromSeconds(1.5);

    /// <summary>The client finds out by itself that a statement got no reply, and has a server that replies cancel it.</summary>
    private static readonly TimeSpan TimeToCancel = TimeSpan.FromMilliseconds(250);

    private readonly TimeSpan _lockLimit;
    private readonly double _leaseShare;

    /// <param name="command">How long a statement waits for its reply.</param>
    /// <param name="renewalShare">Which part of a lease passes between two renewals: a call for a lock may take as long.</param>
    public TransactionLimits(TimeSpan command, double renewalShare)
    {
        Command = command;
        CommandSeconds = (int)Math.Ceiling(command.TotalSeconds);
        (_lockLimit, _leaseShare) = (command * 3 / 4, renewalShare * 3 / 5);
        (StatementTimeout, LockTimeout) = (Milliseconds(command), Milliseconds(_lockLimit));
        var idle = (long)Math.Max(ShortestIdleLimit.TotalMilliseconds, command.TotalMilliseconds / 2);
        IdleTimeout = idle.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>No limit, as the server takes it.</summary>
    public const string None = "0";

    /// <summary>How long a statement waits for its reply.</summary>
    public TimeSpan Command { get; }

    /// <summary>The same, as the client takes it.</summary>
    public int CommandSeconds { get; }

    /// <summary>How long whoever asks waits for the client: for longer than it waits for a reply, and for no longer than a moment when the server does not even cancel.</summary>
    public TimeSpan Reply => TimeSpan.FromSeconds(CommandSeconds) + TimeToCancel;

    /// <summary>The same, as the server takes it: for what changes nothing, which it may end at any time.</summary>
    public string StatementTimeout { get; }

    /// <summary>How long a statement waits at most where somebody else has locked what it needs, such as a whole table: for less than for its reply. In milliseconds.</summary>
    public string LockTimeout { get; }

    /// <summary>For whoever is told who holds the lock rather than to wait for it, in milliseconds.</summary>
    public const string BriefLockTimeout = "50";

    /// <summary>
    /// For a renewal that found its row locked and takes its turn among those who ask for it, in milliseconds. All other renewals of the node wait behind it, so it is a small part of the
    /// shortest lease among them; and it is as long as that allows, because who gives up begins again behind all others.
    /// </summary>
    /// <param name="shortest">The shortest lease that the node renews.</param>
    public string TurnLockTimeoutFor(TimeSpan shortest) => Milliseconds(TimeSpan.FromTicks(Math.Min((shortest / TurnsInLease).Ticks, Math.Min(LongestTurn.Ticks, (_lockLimit / 2).Ticks))));

    /// <summary>Begins to wait for rows: for less than a call takes, so that one that somebody else keeps is told as what it is, and not as a server that does not reply.</summary>
    /// <param name="lease">The lease that depends on it, of which a call may take a part; null for none.</param>
    public RowWait BeginWait(TimeSpan? lease) => new(PatienceFor(lease));

    /// <summary>How long a call waits for rows in all.</summary>
    /// <param name="lease">The lease that depends on it, of which a call may take a part; null for none.</param>
    public TimeSpan PatienceFor(TimeSpan? lease) => lease * _leaseShare is { } part && part < _lockLimit ? part : _lockLimit;

    /// <summary>
    /// A node that is paused between two statements, or cut off, keeps others from a lock for no longer than this: less than a release goes on for, so that it does not give up and leave
    /// the lock to its lease. In milliseconds.
    /// </summary>
    public string IdleTimeout { get; }

    private static string Milliseconds(TimeSpan time) => ((long)Math.Ceiling(time.TotalMilliseconds)).ToString(CultureInfo.InvariantCulture);
}
