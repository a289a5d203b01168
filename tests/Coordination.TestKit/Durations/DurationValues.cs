using System.Reflection;

namespace Coordination.TestKit.Durations;

/// <summary>What somebody may set a duration to, whatever its range is.</summary>
public static class DurationValues
{
    public static TheoryData<string, TimeSpan> OfNodes => Of(typeof(CoordinationOptions));

    public static TheoryData<string, TimeSpan> OfLocks => Of(typeof(LockOptions));

    public static IReadOnlyList<TimeSpan> All { get; } =
    [
        TimeSpan.Zero,
        TimeSpan.FromSeconds(-1),
        TimeSpan.FromTicks(1),
        TimeSpan.FromDays(1),
        // Longer than the system's timers take.
        TimeSpan.FromDays(50),
        TimeSpan.MaxValue,
        TimeSpan.MinValue,
        Timeout.InfiniteTimeSpan,
    ];

    /// <summary>Each of them alone.</summary>
    public static TheoryData<TimeSpan> Each => [.. All];

    /// <summary>Each duration among the properties of a type, by its name, with each value.</summary>
    public static TheoryData<string, TimeSpan> Of(Type options) => Of(DurationPlaces.OptionsOf(options).Select(property => property.Name));

    /// <summary>Each place with each value.</summary>
    public static TheoryData<string, TimeSpan> Of(IEnumerable<string> places)
    {
        var data = new TheoryData<string, TimeSpan>();
        foreach (var place in places)
        {
            foreach (var value in All)
            {
                data.Add(place, value);
            }
        }

        return data;
    }

    public static void Set(object options, string name, TimeSpan value) =>
        options.GetType().GetProperty(name, BindingFlags.Public | BindingFlags.Instance)!.SetValue(options, value);

    /// <summary>What a refusal has to say: what it is about, what it is, what it may be, and so what to do.</summary>
    public static void AssertRefused(string name, TimeSpan value, string message)
    {
        Assert.Contains($"{name} is {value}. Set ", message, StringComparison.Ordinal);
    }
}
