using System.Globalization;
using System.Net;

namespace SampleKit.Timeline;

/// <summary>Numbers and times as text, the same in every culture.</summary>
public static class Format
{
    public static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>As it was given: with the name alone where it has no port.</summary>
    public static string Servers(IEnumerable<EndPoint> endPoints) =>
        string.Join(", ", endPoints.Select(endPoint => endPoint is DnsEndPoint dns ? dns.Port == 0 ? dns.Host : $"{dns.Host}:{Number(dns.Port)}" : endPoint.ToString()));

    public static string Time(DateTimeOffset time) => time.ToString("HH:mm:ss", CultureInfo.InvariantCulture);

    public static string Seconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.00} s");

    public static string Milliseconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0.0} ms");
}
