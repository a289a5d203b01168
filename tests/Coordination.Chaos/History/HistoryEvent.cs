namespace Coordination.Chaos.History;

/// <summary>One line of a history.</summary>
/// <param name="At">On the clock that all processes of the machine share.</param>
/// <param name="By">The process: its worker's name and how often that was started, as in w1.2.</param>
/// <param name="Kind">What happened.</param>
/// <param name="Lock">Of which lock.</param>
/// <param name="Attempt">Which of the process's attempts at a lock; they are numbered from one.</param>
/// <param name="Token">The fencing token of a grant, where the lock has one.</param>
/// <param name="Share">What it wants or has of the lock; null for an exclusive lock.</param>
/// <param name="Permit">The number of the permit that was granted.</param>
/// <param name="Reader">Of an upgrade, the attempt of the read that it is of.</param>
/// <param name="Successor">Of a release, the id of the node that it names; null for none.</param>
/// <param name="Reason">Of a loss, why, as the lock says.</param>
/// <param name="Length">How long it lasted; for what has a length. Of a release, the longest time between two reports of progress; of a loss, the time since the last one.</param>
/// <param name="Detail">For people.</param>
internal sealed record HistoryEvent(
    TimeSpan At, string By, EventKind Kind, string? Lock = null, long Attempt = 0, long? Token = null, LockShareKind? Share = null, int? Permit = null, long Reader = 0, string? Successor = null, LeaseLossReason? Reason = null, TimeSpan Length = default, string? Detail = null);
