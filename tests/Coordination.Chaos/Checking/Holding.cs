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
internal sealed record Holding(
    string By, string Worker, string Lock, long Attempt, long? Token, TimeSpan WaitedFrom, TimeSpan Granted, TimeSpan GrantedByServer, TimeSpan End, HoldingEnd Ending)
{
    /// <summary>The server granted it no earlier: where the token does not tell when that was, it may have been as soon as it was asked for.</summary>
    public TimeSpan GrantedNoEarlier => GrantedByServer < Granted ? GrantedByServer : WaitedFrom;

    public override string ToString() => $"{By}'s hold of {Lock} (token {Token?.ToString() ?? "none"}, {Granted.TotalSeconds:F3}–{End.TotalSeconds:F3} s, {Ending})";
}
