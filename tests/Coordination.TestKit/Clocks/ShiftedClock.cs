namespace Coordination.TestKit.Clocks;

/// <summary>The wall clock of a machine that is ahead, which may be set while it runs. Time passes as elsewhere.</summary>
public sealed class ShiftedClock(TimeSpan ahead) : TimeProvider
{
    private long _ahead = ahead.Ticks;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + TimeSpan.FromTicks(Volatile.Read(ref _ahead));

    public void Set(TimeSpan ahead) => Volatile.Write(ref _ahead, ahead.Ticks);
}
