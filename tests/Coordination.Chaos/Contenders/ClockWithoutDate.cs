namespace Coordination.Chaos.Contenders;

/// <summary>Broken: a wall clock that goes by the monotonic one, and so stands still when that does.</summary>
internal sealed class ClockWithoutDate : TimeProvider
{
    private readonly DateTimeOffset _begin = System.GetUtcNow();
    private readonly long _since = System.GetTimestamp();

    public override DateTimeOffset GetUtcNow() => _begin + System.GetElapsedTime(_since);
}
