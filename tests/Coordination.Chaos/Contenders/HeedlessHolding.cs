using StackExchange.Redis;

namespace Coordination.Chaos.Contenders;

/// <summary>Broken: a release deletes the lock, whose ever it is.</summary>
internal sealed class HeedlessHolding(IHolding inner, string lockName, RawLock raw) : IHolding
{
    public long? Token => inner.Token;

    public CancellationToken Lost => inner.Lost;

    public async Task<string> ReleaseAsync()
    {
        try
        {
            await raw.DeleteAsync(lockName);
        }
        catch (RedisException)
        {
            // The server is away; what follows finds out as well.
        }

        return await inner.ReleaseAsync();
    }

    public void Dispose() => inner.Dispose();
}
