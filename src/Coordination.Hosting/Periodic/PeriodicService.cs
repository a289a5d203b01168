namespace Coordination.Hosting.Periodic;

/// <summary>A registered periodic service with all that was worked out for it.</summary>
/// <param name="name">What log lines call it.</param>
/// <param name="lockName">Its lock.</param>
/// <param name="options">Its settings.</param>
/// <param name="work">What it does.</param>
internal sealed class PeriodicService(string name, string lockName, ExclusivePeriodicOptions options, ExclusivePeriodicService work)
{
    private static readonly TimeSpan LongestMemory = TimeSpan.FromDays(366);

    public string Name => name;

    public string LockName => lockName;

    public ExclusivePeriodicOptions Options => options;

    public ExclusivePeriodicService Work => work;

    public PeriodicSchedule Schedule { get; } = new(lockName, options.Interval, options.Jitter);

    /// <summary>How long the store remembers a run: as long as another node may ask for it, also one whose clock is behind.</summary>
    public TimeSpan RememberFor { get; } = options.Interval < TimeSpan.FromHours(12)
        ? TimeSpan.FromDays(1)
        : (2 * options.Interval < LongestMemory ? 2 * options.Interval : LongestMemory);
}
