namespace Coordination.Chaos.Contenders;

/// <summary>A signal of a loss for what only can be asked: it is asked each millisecond, on a thread of its own.</summary>
internal sealed class PolledLoss : IDisposable
{
    private readonly CancellationTokenSource _lost = new();
    private readonly ManualResetEventSlim _ended = new();
    private readonly Thread _thread;

    public PolledLoss(Func<bool> isLost)
    {
        _thread = new Thread(() =>
        {
            while (!_ended.Wait(1))
            {
                if (isLost())
                {
                    _lost.Cancel();
                    return;
                }
            }
        })
        { IsBackground = true, Name = "loss" };
        _thread.Start();
    }

    public CancellationToken Token => _lost.Token;

    public void Dispose()
    {
        _ended.Set();
        _thread.Join();
        _ended.Dispose();
        _lost.Dispose();
    }
}
