namespace Coordination.PostgreSql.Transactions;

/// <summary>Moments as the store keeps them.</summary>
internal static class Moments
{
    /// <summary>The year 2000, from which the columns count.</summary>
    private static readonly long ColumnsBegin = ToMicroseconds(new DateTimeOffset(2000, 1, 1, 0, 0, 0, TimeSpan.Zero));

    private static readonly long MaxMicroseconds = ToMicroseconds(DateTimeOffset.MaxValue);

    /// <summary>Microseconds since 1970, as documents have them.</summary>
    public static long ToMicroseconds(DateTimeOffset moment) => (moment - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>A moment of a document.</summary>
    public static DateTimeOffset FromMicroseconds(long microseconds) =>
        microseconds >= MaxMicroseconds ? DateTimeOffset.MaxValue : DateTimeOffset.UnixEpoch.AddMicroseconds(microseconds);

    /// <summary>
    /// As the server sends and takes the columns: microseconds since 2000, and the last moment there is as infinity. In this form no switch of Npgsql's, by which applications have
    /// moments in the time zone of their machine, changes them.
    /// </summary>
    public static long ToColumn(DateTimeOffset moment) => moment == DateTimeOffset.MaxValue ? long.MaxValue : ToMicroseconds(moment) - ColumnsBegin;

    /// <summary>A moment of a column.</summary>
    public static DateTimeOffset FromColumn(long microseconds) =>
        microseconds < -ColumnsBegin ? DateTimeOffset.UnixEpoch : microseconds >= MaxMicroseconds - ColumnsBegin ? DateTimeOffset.MaxValue : FromMicroseconds(microseconds + ColumnsBegin);
}
