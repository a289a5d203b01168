namespace Coordination;

/// <summary>Who holds a lock, as the store sees it.</summary>
/// <param name="Owner">The owner.</param>
/// <param name="FencingToken">The token of its grant.</param>
/// <param name="Since">When the lock was granted, on the store's clock.</param>
/// <param name="TimeToLive">How long the grant lasts if it is not renewed.</param>
/// <param name="IsReleased">
/// Whether the owner has released it, and nobody can have it yet because of its <see cref="LockOptions.LockAtLeastFor"/>.
/// </param>
public sealed record LockHolder(LockOwner Owner, long FencingToken, DateTimeOffset Since, TimeSpan TimeToLive, bool IsReleased = false);
