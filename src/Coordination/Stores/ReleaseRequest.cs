namespace Coordination.Stores;

/// <summary>A request to give back one entry of a lock and to leave its queue.</summary>
/// <param name="LockName">The lock.</param>
/// <param name="Owner">Who held it or waited for it.</param>
/// <param name="Entry">The entry of the acquisition.</param>
/// <param name="ClaimWindow">How long the lock stays passed to the next waiter without being claimed.</param>
/// <param name="AllowBarging">Whether to leave the lock free and tell the first waiter, instead of passing it to that waiter.</param>
/// <param name="LockAtLeastFor">Until how long after its grant the lock stays taken, by nobody, when this is its last entry. Zero for not at all.</param>
/// <param name="Occurrence">The scheduled time that the lock was held for; null for none.</param>
/// <param name="OccurrenceIsFinished">Whether that occurrence was run to its end; else another run may take it.</param>
public sealed record ReleaseRequest(
    string LockName, LockOwner Owner, long Entry, TimeSpan ClaimWindow, bool AllowBarging = false, TimeSpan LockAtLeastFor = default,
    Occurrence? Occurrence = null, bool OccurrenceIsFinished = true);
