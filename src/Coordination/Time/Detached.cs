namespace Coordination.Time;

/// <summary>Begins what outlives its caller, and keeps nothing of the caller's: no log scope, no trace, no AsyncLocal.</summary>
internal static class Detached
{
    private static ExecutionContext? _empty;

    /// <summary>Runs on the caller's thread, without the caller's ExecutionContext. What is awaited in there goes on without it, too.</summary>
    /// <remarks>
    /// To suppress the flow is not enough: what is awaited then goes on in the context of whoever completes it, and keeps that one.
    /// </remarks>
    public static T Run<T>(Func<T> begin)
    {
        var result = default(T);
        ExecutionContext.Run(_empty ??= CaptureEmpty(), _ => result = begin(), null);
        return result!;
    }

    private static ExecutionContext CaptureEmpty()
    {
        // The runtime has no name for it: it is the one of a thread that was started without any.
        ExecutionContext? empty = null;
        var thread = new Thread(() => empty = ExecutionContext.Capture());
        thread.UnsafeStart();
        thread.Join();
        return empty!;
    }
}
