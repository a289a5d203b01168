using Coordination.Stores;
using Coordination.TestKit.Servers;
using StackExchange.Redis;

namespace Coordination.Redis.Tests.Clocks;

/// <summary>For how long a record is kept whose lock is renewed for days: a renewal mostly writes a part of it, which leaves its end of life where it was.</summary>
public sealed class RecordLifeTests : ClockTests
{
    private const string Name = "orders";
    private static readonly TimeSpan Step = TimeSpan.FromMinutes(40);
    private static readonly TimeSpan Days = TimeSpan.FromDays(5);

    private readonly LockOwner _ada = new("host-1-ada", 1);

    /// <summary>A day is the longest of leases. A record that ends before its lease is a lock that another gets.</summary>
    [Theory]
    [Promise("G1", "G3")]
    [Failure("F43")]
    [InlineData(1)]
    [InlineData(24)]
    public async Task A_record_outlives_its_lease_however_long_that_is_renewed(int leaseInHours)
    {
        var lease = TimeSpan.FromHours(leaseInHours);
        await using var connection = await Server!.ConnectAsOperatorAsync();
        var granted = await Store.AcquireAsync(Requests.Acquire(Name, _ada, lease), Token);
        for (var passed = TimeSpan.Zero; passed < Days; passed += Step)
        {
            Clock!.Offset = passed;
            Assert.Equal([RenewalReply.Renewed], await Store.RenewAsync([Requests.Renew(Name, _ada, lease, granted.FencingToken)], Token));
            await AssertLivesAsync(connection, TimeSpan.FromHours(44));
        }

        // And its token its release, which writes a part of it as well.
        Assert.Equal(ReleaseReply.Released, await Store.ReleaseAsync(Requests.Release(Name, _ada, lease) with { LeaseDuration = lease }, Token));
        await AssertLivesAsync(connection, TimeSpan.FromHours(44));
    }

    private static async Task AssertLivesAsync(ConnectionMultiplexer connection, TimeSpan atLeast) =>
        Assert.InRange((await connection.GetDatabase().KeyTimeToLiveAsync(LockText.KeyOf("test", Name))) ?? TimeSpan.Zero, atLeast, TimeSpan.FromDays(2));
}
