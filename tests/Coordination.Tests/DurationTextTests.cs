using System.Globalization;

namespace Coordination.Tests;

/// <summary>How durations are written.</summary>
public sealed class DurationTextTests
{
    [Theory]
    [Failure("F83")]
    [InlineData("00:00:30")]
    [InlineData("0:0:30")]
    [InlineData("00:30")]
    [InlineData("23:59:59.9999999")]
    [InlineData("1.12:00:00")]
    [InlineData("400.00:00:00")]
    [InlineData("-00:00:01")]
    [InlineData("10675199.02:48:05.4775807")]
    public void Days_hours_minutes_and_seconds_are_a_duration(string text)
    {
        Assert.Null(DurationText.FindError("MaxWait", text));
        TimeSpan.Parse(text, CultureInfo.InvariantCulture);
    }

    [Theory]
    [Failure("F83")]
    [InlineData("1", "Write 00:00:01 for 1 s, or 1.00:00:00 for as many days.")]
    [InlineData("30", "Write 00:00:30 for 30 s, or 30.00:00:00 for as many days.")]
    [InlineData("90", "Write 00:01:30 for 90 s")]
    [InlineData("0.5", "Write 00:00:00.5000000 for as many seconds.")]
    [InlineData("48:00:00", "Write 2.00:00:00 for that many hours")]
    [InlineData("24:00", "Write 1.00:00 for that many hours")]
    [InlineData("100:30:00", "Write 4.04:30:00 for that many hours")]
    [InlineData("", "Write it as 00:00:30")]
    [InlineData("soon", "Write it as 00:00:30")]
    [InlineData("30s", "Write it as 00:00:30")]
    [InlineData("1:2:3:4", "Write it as 00:00:30")]
    [InlineData(" 00:00:30", "Write it as 00:00:30")]
    [InlineData("99999999.00:00:00", "Write it as 00:00:30")]
    [InlineData("NaN", "Write it as 00:00:30")]
    [InlineData("1e400", "Write it as 00:00:30")]
    public void Anything_else_is_refused_with_the_name_the_text_and_how_to_write_it(string text, string expected)
    {
        var error = DurationText.FindError("Coordination:MaxWait", text);
        Assert.StartsWith($"Coordination:MaxWait is '{text}', which is no duration.", error, StringComparison.Ordinal);
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }
}
