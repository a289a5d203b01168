namespace Coordination.Resilience;

/// <summary>Counts the sends of one request, so that it is known whether the store may have applied it. Safe for use by several threads.</summary>
internal sealed class Sending
{
    private int _sent;
    private Task? _goesOn;

    /// <summary>Whether the store may have applied the request, so that it has to be undone if nobody goes on with it.</summary>
    public bool MayBeApplied => Volatile.Read(ref _sent) > 0;

    /// <summary>What goes on without its caller; null for nothing. Until it has ended nothing is undone, for what has not been sent by then is not, and what fails may need no undo.</summary>
    public Task? Going => Volatile.Read(ref _goesOn);

    /// <summary>The caller leaves, and what it has sent goes on.</summary>
    public void GoesOn(Task sending) => Volatile.Write(ref _goesOn, sending);

    /// <summary>It is sent now, as far as can be told.</summary>
    public void Begin() => Interlocked.Increment(ref _sent);

    /// <summary>A send that was begun came to nothing for certain.</summary>
    public void Fail() => Interlocked.Decrement(ref _sent);

    /// <summary>Somebody received what it was for, and there is nothing to undo any more.</summary>
    public void End() => Volatile.Write(ref _sent, 0);
}
