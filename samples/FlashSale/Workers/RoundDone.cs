namespace FlashSale.Workers;

/// <summary>All buyers of the worker were told.</summary>
/// <param name="LockWaits">How long each waited for a lock, from the call to the grant.</param>
/// <param name="CommandsSent">How many commands the worker's connections sent; a script is one.</param>
/// <param name="ForeignDeletions">How often a lock was deleted that another held.</param>
/// <param name="Reentries">How often a lock was entered by its holder once more.</param>
internal sealed record RoundDone(IReadOnlyCollection<TimeSpan> LockWaits, long CommandsSent, int ForeignDeletions, int Reentries) : WorkerMessage;
