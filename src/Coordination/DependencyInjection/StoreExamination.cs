namespace Coordination.DependencyInjection;

/// <summary>How the server of a node's store is examined before the host counts as started. For authors of stores.</summary>
/// <remarks>
/// Whoever makes the store says it here, and asks for it by <c>builder.ExamineStoreAtStart()</c>. So the store that counts is examined, and none that was chosen before it.
/// </remarks>
public sealed class StoreExamination
{
    private volatile Func<CancellationToken, Task>? _examine;

    /// <summary>Examines the server, unless it was found fit already.</summary>
    /// <value>
    /// Null for as long as nobody asked for the store. What it throws fails the start of the host, but for a <see cref="LockStoreException"/> that is transient: a server that is away is
    /// examined by the first operation that reaches it.
    /// </value>
    public Func<CancellationToken, Task>? Examine
    {
        get => _examine;
        set => _examine = value;
    }
}
