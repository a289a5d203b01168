using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Quartz.Tests.Schedulers;

/// <summary>The store as a node sees it that the test cuts off from it: to the others it is as one that died.</summary>
internal sealed class CutOffStore(ILockStore inner) : DelegatingLockStore(inner)
{
    private volatile bool _isCutOff;

    public void CutOff() => _isCutOff = true;

    protected override Task<T> CallAsync<T>(Func<Task<T>> ask) =>
        _isCutOff ? Task.FromException<T>(new LockStoreException("This node is cut off.", isTransient: true)) : base.CallAsync(ask);
}
