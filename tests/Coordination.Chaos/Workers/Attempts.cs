namespace Coordination.Chaos.Workers;

/// <summary>Numbers the attempts of a process.</summary>
internal sealed class Attempts
{
    private long _last;

    public long Next() => Interlocked.Increment(ref _last);
}
