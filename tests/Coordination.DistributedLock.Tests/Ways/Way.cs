namespace Coordination.DistributedLock.Tests.Ways;

/// <summary>A member of DistributedLock's interfaces that waits for something: to acquire a lock, or to upgrade a handle.</summary>
/// <param name="Type">The interface.</param>
/// <param name="Member">The member.</param>
/// <param name="Call">Calls it. What it throws at the caller is thrown here; an asynchronous one returns a task.</param>
public sealed record Way(Type Type, string Member, Func<TimeSpan, CancellationToken, object?> Call)
{
    /// <summary>Whether the member says by null or false that the time is up, and not by an exception.</summary>
    public bool OnlyTries => Member.StartsWith("Try", StringComparison.Ordinal);

    public bool IsAsynchronous => Member.EndsWith("Async", StringComparison.Ordinal);

    /// <summary>The member as one that can be awaited: one that blocks does it on a thread of its own.</summary>
    /// <returns>The handle; null when the time was up.</returns>
    public Task<IAsyncDisposable?> BeginAsync(TimeSpan timeout, CancellationToken cancellationToken) => IsAsynchronous
        ? (Task<IAsyncDisposable?>)Call(timeout, cancellationToken)!
        : Task.Factory.StartNew(() => (IAsyncDisposable?)Call(timeout, cancellationToken), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    public override string ToString() => $"{Type.Name}.{Member}";
}
