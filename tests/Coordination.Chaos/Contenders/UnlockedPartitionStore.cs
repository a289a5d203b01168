using Coordination.Chaos.Workers;
using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Chaos.Contenders;

/// <summary>Broken: the locks of partitions are granted by the node itself, so that who leads what rests on what each node sees of the others.</summary>
internal sealed class UnlockedPartitionStore(ILockStore inner) : DelegatingLockStore(inner)
{
    public override Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken) =>
        PartitionWorker.IsPartition(request.LockName)
            ? Task.FromResult(AcquireReply.Granted((long)(DateTimeOffset.UtcNow - DateTimeOffset.UnixEpoch).TotalMicroseconds))
            : base.AcquireAsync(request, cancellationToken);

    public override async Task<IReadOnlyList<RenewalReply>> RenewAsync(IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken)
    {
        RenewalRequest[] others = [.. requests.Where(request => !PartitionWorker.IsPartition(request.LockName))];
        var replies = new Queue<RenewalReply>(others.Length == 0 ? [] : await base.RenewAsync(others, cancellationToken));
        return [.. requests.Select(request => PartitionWorker.IsPartition(request.LockName) ? RenewalReply.Renewed : replies.Dequeue())];
    }

    public override Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken) =>
        PartitionWorker.IsPartition(request.LockName) ? Task.FromResult(ReleaseReply.Released) : base.ReleaseAsync(request, cancellationToken);
}
