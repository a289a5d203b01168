using Coordination.Stores;

namespace Coordination.PostgreSql.Transactions;

/// <summary>How long a row is to be kept with nothing more asked of its lock.</summary>
internal static class LockLife
{
    /// <summary>As the protocol keeps a token, and a little more.</summary>
    private static readonly TimeSpan Token = TimeSpan.FromHours(25);

    /// <summary>Longer than a dead waiter keeps its place.</summary>
    private static readonly TimeSpan DeadWaiter = TimeSpan.FromSeconds(61);

    /// <summary>From when on <see cref="LockProtocol.MayForget"/> says so, the grants aside: those are renewed, and stand in columns.</summary>
    public static DateTimeOffset ForgetAfter(LockState state)
    {
        var end = Later(Moments.FromMicroseconds(state.LastToken), Token);
        foreach (var waiter in state.Waiters)
        {
            end = Max(end, Later(waiter.AliveUntil, DeadWaiter));
        }

        foreach (var revoked in state.Revoked)
        {
            end = Max(end, revoked.Until);
        }

        foreach (var last in state.Occurrences)
        {
            end = Max(end, last.ForgottenAt);
        }

        return end;
    }

    private static DateTimeOffset Later(DateTimeOffset moment, TimeSpan time) => moment > DateTimeOffset.MaxValue - time ? DateTimeOffset.MaxValue : moment + time;

    private static DateTimeOffset Max(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;
}
