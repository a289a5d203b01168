using Coordination.TestKit.Clocks;

namespace Coordination.Chaos.Contenders;

/// <summary>Broken: the lock is believed to be held until a lease after the last reply, however old what that reply says was when it came.</summary>
internal sealed class LateDeadlineHolding(IHolding inner, string lockName, ReplyTimes times, TimeSpan lease) : IHolding
{
    private readonly PolledLoss _lost = new(() => times.Of(lockName) is not { } replied || MachineClock.Now > replied + lease);

    public long? Token => inner.Token;

    public CancellationToken Lost => _lost.Token;

    public Task<string> ReleaseAsync() => inner.ReleaseAsync();

    public void Dispose()
    {
        _lost.Dispose();
        inner.Dispose();
    }
}
