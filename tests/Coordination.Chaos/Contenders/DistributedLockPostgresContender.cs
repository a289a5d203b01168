using Medallion.Threading;
using Medallion.Threading.Postgres;

namespace Coordination.Chaos.Contenders;

/// <summary>DistributedLock.Postgres, with its defaults: an advisory lock on a session of the holder's.</summary>
internal sealed class DistributedLockPostgresContender(string connectionString) : IContender
{
    public async Task<IHolding?> AcquireAsync(string lockName, LockShareKind? share, CancellationToken cancellationToken) =>
        new Holding(await new PostgresDistributedLock(new PostgresAdvisoryLockKey(lockName, allowHashing: true), connectionString).AcquireAsync(cancellationToken: cancellationToken));

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed class Holding(IDistributedSynchronizationHandle handle) : IHolding
    {
        public long? Token => null;

        public CancellationToken Lost { get; } = handle.HandleLostToken;

        public async Task<string> ReleaseAsync()
        {
            await handle.DisposeAsync();
            return "disposed";
        }
    }
}
