using Coordination.Chaos.Workers;
using Coordination.Stores;
using Coordination.TestKit.Servers;
using StackExchange.Redis;

namespace Coordination.Chaos.Contenders;

/// <summary>A lock's key on the server, for those who do to it what they must not.</summary>
internal sealed class RawLock(WorkerOptions options)
{
    private readonly Lazy<Task<ConnectionMultiplexer>> _connection = new(() => ConnectionMultiplexer.ConnectAsync(options.Server + ",abortConnect=false"));

    public async Task DeleteAsync(string lockName) => await (await DatabaseAsync()).KeyDeleteAsync(KeyOf(lockName));

    /// <summary>The server's time, in microseconds.</summary>
    public async Task<long> TimeAsync()
    {
        var time = (long[])(await (await DatabaseAsync()).ExecuteAsync("TIME"))!;
        return (time[0] * 1_000_000) + time[1];
    }

    /// <summary>Makes the lock that a renewal did not find, unless somebody has it.</summary>
    public async Task<bool> RecreateAsync(RenewalRequest request)
    {
        var database = await DatabaseAsync();
        var key = KeyOf(request.LockName);
        var now = await TimeAsync();
        if ((string?)await database.StringGetAsync(key) is { } text && LockText.Parse(text).RestAt(now) > TimeSpan.Zero)
        {
            return false;
        }

        var record = new LockText(request.FencingToken!.Value, now, 'H', '1', (long)request.LeaseDuration.TotalMilliseconds, $"{request.Owner}#0");
        await database.StringSetAsync(key, record.ToString(), TimeSpan.FromDays(2));
        return true;
    }

    private RedisKey KeyOf(string lockName) => LockText.KeyOf(options.Prefix, lockName);

    private async Task<IDatabase> DatabaseAsync() => (await _connection.Value).GetDatabase();
}
