namespace Coordination.Quartz.Tests.Jobs;

internal sealed class Count
{
    private int _value;

    public int Value => Volatile.Read(ref _value);

    public int Next() => Interlocked.Increment(ref _value);
}
