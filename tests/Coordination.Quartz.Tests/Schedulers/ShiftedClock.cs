namespace Coordination.Quartz.Tests.Schedulers;

/// <summary>The wall clock of a machine that is ahead; time passes as elsewhere.</summary>
internal sealed class ShiftedClock(TimeSpan ahead) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + ahead;
}
