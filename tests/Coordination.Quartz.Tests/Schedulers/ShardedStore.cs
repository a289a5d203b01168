using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Quartz.Tests.Schedulers;

/// <summary>A store of two shards, of which the test takes the second one away: that of locks whose names end with "2".</summary>
internal sealed class ShardedStore(ILockStore inner) : DelegatingLockStore(inner)
{
    private volatile bool _isSecondAway;

    public bool IsSecondAway
    {
        set => _isSecondAway = value;
    }

    public override int ShardOf(string lockName) => lockName.EndsWith('2') ? 1 : 0;

    public override Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken) =>
        _isSecondAway && ShardOf(request.LockName) == 1
            ? Task.FromException<AcquireReply>(new LockStoreException("The shard does not reply.", isTransient: true))
            : base.AcquireAsync(request, cancellationToken);
}
