namespace Coordination.Chaos.Checking;

/// <summary>A time in which a process believed to hold a lock.</summary>
/// <param name="By">The process.</param>
/// <param name="Worker">Its worker, which may have been started several times.</param>
/// <param name="Lock">The lock.</param>
/// <param name="Attempt">Which of the process's attempts it was.</param>
/// <param name="Token">The fencing token, where there is one.</param>
/// <param name="WaitedFrom">When it began to wait.</param>
/// <param name="Granted">When it was told.</param>
/// <param name="GrantedByServer">When the server granted it, as the token tells; else when it was told.</param>
/// <param name="End">When it believed no longer.</param>
/// <param name="Ending">Why.</param>
/// <param name="Share">What it was of the lock; null for an exclusive one.</param>
/// <param name="Permit">The number of the permit that it was told, where it was one.</param>
/// <param name="Reader">Of an upgrade, the attempt of the read that it is of.</param>
/// <param name="Successor">The process that it was released to; null for the next in turn.</param>
/// <param name="Reason">Why it was lost.</param>
/// <param name="Silence">How long no progress was reported: the longest time of one that was released, and the last of one that was lost.</param>
internal sealed record Holding(
    string By, string Worker, string Lock, long Attempt, long? Token, TimeSpan WaitedFrom, TimeSpan Granted, TimeSpan GrantedByServer, TimeSpan End, HoldingEnd Ending,
    LockShareKind? Share = null, int? Permit = null, long Reader = 0, string? Successor = null, LeaseLossReason? Reason = null, TimeSpan Silence = default)
{
    /// <summary>The server granted it no earlier: where the token does not tell when that was, it may have been as soon as it was asked for.</summary>
    public TimeSpan GrantedNoEarlier => GrantedByServer < Granted ? GrantedByServer : WaitedFrom;

    public bool Writes => Share is LockShareKind.Write or LockShareKind.Upgrade;

    /// <summary>Whether the two must not be at the same time, whoever else there is.</summary>
    public bool Excludes(Holding other) => (Share, other.Share) switch
    {
        (LockShareKind.Permit, LockShareKind.Permit) => Permit == other.Permit,
        (LockShareKind.Upgrade, LockShareKind.UpgradeableRead) => !IsUpgradeOf(other),
        (LockShareKind.UpgradeableRead, LockShareKind.Upgrade) => !other.IsUpgradeOf(this),
        (LockShareKind.UpgradeableRead, LockShareKind.UpgradeableRead) => true,
        _ => Share is null || Writes || other.Writes,
    };

    private bool IsUpgradeOf(Holding read) => By == read.By && Reader == read.Attempt;

    public override string ToString() => $"{By}'s hold of {Lock} ({(Share is null ? "" : $"{Share}{Permit}, ")}token {Token?.ToString() ?? "none"}, {Granted.TotalSeconds:F3}–{End.TotalSeconds:F3} s, {Ending})";
}
