using Coordination.Stores;
using Coordination.TestKit.Stores;
using StackExchange.Redis;

namespace Coordination.Chaos.Contenders;

/// <summary>Broken: renewals make locks that are gone anew.</summary>
internal sealed class RecreatingStore(ILockStore inner, RawLock raw) : DelegatingLockStore(inner)
{
    public override async Task<IReadOnlyList<RenewalReply>> RenewAsync(IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken)
    {
        var replies = (await base.RenewAsync(requests, cancellationToken)).ToArray();
        for (var i = 0; i < replies.Length; i++)
        {
            try
            {
                if (replies[i] == RenewalReply.NotHeld && await raw.RecreateAsync(requests[i]).WaitAsync(cancellationToken))
                {
                    replies[i] = RenewalReply.Renewed;
                }
            }
            catch (RedisException)
            {
                // Not made anew, then.
            }
        }

        return replies;
    }
}
