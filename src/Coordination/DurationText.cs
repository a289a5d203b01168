using System.Globalization;
using System.Text.RegularExpressions;

namespace Coordination;

/// <summary>
/// How a duration is written in a configuration or in data: <c>00:00:30</c>, and with days <c>1.12:00:00</c>. <see cref="TimeSpan"/> reads more than
/// that, and not as it is meant: <c>30</c> is thirty days there, and <c>48:00:00</c> forty-eight. For authors of integrations.
/// </summary>
public static partial class DurationText
{
    /// <summary>Says why a text is not a duration, and how to write it.</summary>
    /// <param name="name">What the duration is called where it is set.</param>
    /// <param name="text">The text.</param>
    /// <returns>Null when it is one: <see cref="TimeSpan.Parse(string, IFormatProvider)"/> then reads it as it is meant.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static string? FindError(string name, string text)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(text);
        if (Duration().IsMatch(text) && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out _))
        {
            return null;
        }

        var error = $"{name} is '{text}', which is no duration.";
        if (decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number is > 0 and < 1_000_000)
        {
            var seconds = TimeSpan.FromSeconds((double)number);
            return number == decimal.Truncate(number)
                ? $"{error} Write {seconds:c} for {number:0} s, or {TimeSpan.FromDays((double)number):c} for as many days."
                : $"{error} Write {seconds:c} for as many seconds.";
        }

        return LongHours().Match(text) is { Success: true, Groups: var groups } && int.TryParse(groups[1].ValueSpan, CultureInfo.InvariantCulture, out var hours)
            ? $"{error} Write {hours / 24}.{hours % 24:00}{groups[2].ValueSpan} for that many hours: before the first colon are the hours of a day, and before a dot the days."
            : $"{error} Write it as 00:00:30, which is half a minute, or 1.00:00:00, which is a day.";
    }

    [GeneratedRegex(@"^-?([0-9]+\.)?([01]?[0-9]|2[0-3]):[0-5]?[0-9](:[0-5]?[0-9](\.[0-9]{1,7})?)?$", RegexOptions.CultureInvariant)]
    private static partial Regex Duration();

    [GeneratedRegex("^([0-9]{2,5})(:[0-5][0-9](?::[0-5][0-9])?)$", RegexOptions.CultureInvariant)]
    private static partial Regex LongHours();
}
