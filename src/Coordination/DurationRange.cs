namespace Coordination;

/// <summary>
/// What a duration may be that somebody sets, and the one sentence that refuses it: it names the duration, its value, the limits, and what to set
/// instead. For authors of integrations.
/// </summary>
/// <remarks>Nothing that a range lets through overflows a timer, or a moment that it is added to.</remarks>
public sealed class DurationRange
{
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);

    private readonly string _limits;
    private readonly bool _mayBeInfinite;

    private DurationRange(TimeSpan min, TimeSpan max, string limits, bool mayBeInfinite = false)
    {
        Min = min;
        Max = max;
        _limits = limits;
        _mayBeInfinite = mayBeInfinite;
    }

    /// <summary>How long a call may be told to wait: from zero to the longest wait that the system's timers take, or without an end.</summary>
    public static DurationRange Timeout { get; } = UpToTimer(TimeSpan.FromMilliseconds(uint.MaxValue - 1));

    /// <summary>The shortest.</summary>
    public TimeSpan Min { get; }

    /// <summary>The longest, apart from <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> where that is allowed.</summary>
    public TimeSpan Max { get; }

    /// <summary>From one duration to another, both included.</summary>
    /// <param name="min">The shortest.</param>
    /// <param name="max">The longest.</param>
    /// <param name="orElse">What else may be set, as "null for the default"; null for nothing.</param>
    public static DurationRange Between(TimeSpan min, TimeSpan max, string? orElse = null) =>
        new(min, max, (min == Tick ? $"more than zero, and {max} at most" : $"{min} to {max}") + Or(orElse));

    /// <summary>More than zero.</summary>
    /// <param name="max">The longest.</param>
    /// <param name="orElse">What else may be set, as "null for the default"; null for nothing.</param>
    public static DurationRange UpTo(TimeSpan max, string? orElse = null) => Between(Tick, max, orElse);

    /// <summary>How long a call may be told to wait, with a limit of its own.</summary>
    /// <param name="max">The longest wait that has an end.</param>
    public static DurationRange UpToTimer(TimeSpan max) =>
        new(TimeSpan.Zero, max, $"zero to {max}, or Timeout.InfiniteTimeSpan for no limit", mayBeInfinite: true);

    /// <summary>Says what is wrong with a duration.</summary>
    /// <param name="name">What the duration is called where it is set.</param>
    /// <param name="value">The duration; null, where that may be set, is in every range.</param>
    /// <returns>Null when nothing is.</returns>
    public string? FindError(string name, TimeSpan? value) =>
        value is not { } duration || Contains(duration) ? null : $"{name} is {duration}. Set {_limits}.";

    /// <summary>Refuses a duration that is not in the range.</summary>
    /// <param name="paramName">The parameter that has it.</param>
    /// <param name="name">What the duration is called where it is set.</param>
    /// <param name="value">The duration; null, where that may be set, is in every range.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is out of range.</exception>
    public void Validate(string paramName, string name, TimeSpan? value)
    {
        if (FindError(name, value) is { } error)
        {
            throw new ArgumentOutOfRangeException(paramName, value, error);
        }
    }

    /// <summary>Whether a duration is in the range.</summary>
    /// <param name="duration">The duration.</param>
    public bool Contains(TimeSpan duration) =>
        (duration >= Min && duration <= Max) || (_mayBeInfinite && duration == System.Threading.Timeout.InfiniteTimeSpan);

    private static string Or(string? orElse) => orElse is null ? string.Empty : $", or {orElse}";
}
