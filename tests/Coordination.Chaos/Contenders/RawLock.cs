using System.Globalization;
using Coordination.Chaos.Workers;
using Coordination.Stores;
using StackExchange.Redis;

namespace Coordination.Chaos.Contenders;

/// <summary>A lock's key on the server, for those who do to it what they must not.</summary>
internal sealed class RawLock(WorkerOptions options)
{
    private readonly Lazy<Task<ConnectionMultiplexer>> _connection = new(() => ConnectionMultiplexer.ConnectAsync(options.Redis + ",abortConnect=false"));

    public async Task DeleteAsync(string lockName) => await (await DatabaseAsync()).KeyDeleteAsync(KeyOf(lockName));

    /// <summary>The server's time, in microseconds.</summary>
    public async Task<long> TimeAsync()
    {
        var time = (long[])(await (await DatabaseAsync()).ExecuteAsync("TIME"))!;
        return (time[0] * 1_000_000) + time[1];
    }

    /// <summary>Makes the lock that a renewal did not find.</summary>
    public async Task<bool> RecreateAsync(RenewalRequest request)
    {
        var database = await DatabaseAsync();
        var key = KeyOf(request.LockName);
        if (await database.KeyExistsAsync(key))
        {
            return false;
        }

        await database.HashSetAsync(key, [new("owner", request.Owner.ToString()), new("token", request.FencingToken!.Value.ToString(CultureInfo.InvariantCulture)), new("since", "0"), new("e:0", "1")]);
        await database.KeyExpireAsync(key, request.LeaseDuration);
        return true;
    }

    private RedisKey KeyOf(string lockName) => $"{options.Prefix}:v1:{{{lockName}}}:lock";

    private async Task<IDatabase> DatabaseAsync() => (await _connection.Value).GetDatabase();
}
