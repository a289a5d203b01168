namespace Coordination.Chaos.Workers;

/// <summary>
/// That a lock is held, which ends once: by the lock's word or by the worker's will. The word is heard on a thread of its own, for it counts from the
/// moment in which it could be heard, however busy the pool is.
/// </summary>
internal sealed class Belief : IDisposable
{
    private readonly ManualResetEvent _done = new(false);
    private readonly Thread? _listener;
    private int _hasEnded;

    public Belief(Action onLost, CancellationToken lost)
    {
        if (!lost.CanBeCanceled)
        {
            return;
        }

        _listener = new Thread(() =>
        {
            if (WaitHandle.WaitAny([lost.WaitHandle, _done]) == 0 && End())
            {
                onLost();
            }
        })
        { IsBackground = true, Name = "belief" };
        _listener.Start();
    }

    public bool Stands => Volatile.Read(ref _hasEnded) == 0;

    /// <returns>Whether it stood until now.</returns>
    public bool End() => Interlocked.Exchange(ref _hasEnded, 1) == 0;

    public void Dispose()
    {
        _done.Set();
        _listener?.Join();
        _done.Dispose();
    }
}
