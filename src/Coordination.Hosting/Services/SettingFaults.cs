namespace Coordination.Hosting.Services;

/// <summary>What is wrong with the settings of a service, each with the setting, its value and what to do.</summary>
/// <param name="name">The service, as errors name it.</param>
internal sealed class SettingFaults(string name) : List<string>
{
    public void CheckCount(string setting, int value)
    {
        if (value < 1)
        {
            Add($"{name}: {setting} is {value}. Set 1 or more.");
        }
    }

    public void CheckDuration(string setting, TimeSpan? value, DurationRange range)
    {
        if (range.FindError(setting, value) is { } error)
        {
            Add($"{name}: {error}");
        }
    }

    /// <summary>The backoff after failures: each delay by itself, and the two together.</summary>
    public void CheckRestarts(TimeSpan min, TimeSpan max, TimeSpan resetAfter, DurationRange delay, DurationRange pause)
    {
        CheckDuration(nameof(ExclusiveServiceOptions.MinRestartDelay), min, delay);
        CheckDuration(nameof(ExclusiveServiceOptions.MaxRestartDelay), max, delay);
        CheckDuration(nameof(ExclusiveServiceOptions.RestartDelayResetAfter), resetAfter, pause);
        if (max < min)
        {
            Add($"{name}: {nameof(ExclusiveServiceOptions.MaxRestartDelay)} is {max}, shorter than {nameof(ExclusiveServiceOptions.MinRestartDelay)}, which is {min}. Raise the one or lower the other.");
        }
    }
}
