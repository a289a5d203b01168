namespace Coordination.PostgreSql.Transactions;

/// <summary>Moments as the store keeps them.</summary>
internal static class Moments
{
    private static readonly long MaxMicroseconds = ToMicroseconds(DateTimeOffset.MaxValue);

    /// <summary>Microseconds since 1970, as documents have them.</summary>
    public static long ToMicroseconds(DateTimeOffset moment) => (moment - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>A moment of a document.</summary>
    public static DateTimeOffset FromMicroseconds(long microseconds) =>
        microseconds >= MaxMicroseconds ? DateTimeOffset.MaxValue : DateTimeOffset.UnixEpoch.AddMicroseconds(microseconds);

    /// <summary>As the columns have them; the last moment there is, as infinity.</summary>
    public static DateTime ToColumn(DateTimeOffset moment) => moment == DateTimeOffset.MaxValue ? DateTime.MaxValue : moment.UtcDateTime;

    /// <summary>A moment of a column.</summary>
    public static DateTimeOffset FromColumn(DateTime moment) => moment == DateTime.MaxValue ? DateTimeOffset.MaxValue : new DateTimeOffset(DateTime.SpecifyKind(moment, DateTimeKind.Utc));
}
