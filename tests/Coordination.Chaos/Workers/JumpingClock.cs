namespace Coordination.Chaos.Workers;

/// <summary>A wall clock that is set while it runs. Time passes as it does elsewhere.</summary>
internal sealed class JumpingClock(TimeSpan ahead) : TimeProvider
{
    private long _ahead = ahead.Ticks;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + TimeSpan.FromTicks(Volatile.Read(ref _ahead));

    public void Set(TimeSpan ahead) => Volatile.Write(ref _ahead, ahead.Ticks);
}
