namespace Coordination.DistributedLock.Tests.Contract;

/// <summary>A store that the nodes of a test share.</summary>
public abstract class SharedStore
{
    public virtual ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>Chooses the store for a node.</summary>
    public abstract void Use(ICoordinationBuilder builder);

    /// <summary>Makes the store lose everything it knows of this test's locks, and nothing of another test's.</summary>
    public abstract Task LoseAllDataAsync();
}
