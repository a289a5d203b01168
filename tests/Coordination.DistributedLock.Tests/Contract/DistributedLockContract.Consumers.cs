using Medallion.Threading;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.DistributedLock.Tests.Contract;

/// <content>Code that was written for DistributedLock, and knows nothing of this project.</content>
public abstract partial class DistributedLockContract
{
    [Fact]
    public async Task Code_that_asks_for_a_provider_gets_this_one_and_its_extension_methods_work()
    {
        var consumer = ActivatorUtilities.CreateInstance<Invoices>(First.Services);
        Assert.True(await consumer.TrySendAsync(Name, Cancellation));
        Assert.True(await BlockAsync(() => consumer.TrySend(Name)));
        await using (await AcquireAsync(Theirs))
        {
            Assert.False(await consumer.TrySendAsync(Name, Cancellation));
            Assert.False(await BlockAsync(() => consumer.TrySend(Name)));
            await Assert.ThrowsAsync<TimeoutException>(() => consumer.SendAsync(Name, Moment, Cancellation));
            await Assert.ThrowsAsync<TimeoutException>(() => BlockAsync(() => consumer.Send(Name, Moment)));
        }

        await consumer.SendAsync(Name, Bound, Cancellation);
        await BlockAsync(() => consumer.Send(Name, Bound));
        Assert.Equal(4, consumer.Sent);
        await AssertNothingLeftAsync();
    }

    [Fact]
    public async Task Several_locks_are_acquired_together_or_not_at_all()
    {
        string[] names = [Name + "-a", Name + "-b", Name];
        var locks = LocksOf(First);
        await using (var all = await locks.AcquireAllLocksAsync(names, Bound, Cancellation))
        {
            Assert.False(all.HandleLostToken.IsCancellationRequested);
            Assert.Null(all.GetLease());
            Assert.Null(await LocksOf(Second).TryAcquireLockAsync(Name + "-b", cancellationToken: Cancellation));
        }

        await using (await AcquireAsync(Theirs))
        {
            Assert.Null(await locks.TryAcquireAllLocksAsync(names, Moment, Cancellation));
            Assert.Null(await BlockAsync(() => locks.TryAcquireAllLocks(names, Moment, Cancellation)));
            await using var part = await LocksOf(Second).TryAcquireLockAsync(Name + "-a", cancellationToken: Cancellation);
            Assert.NotNull(part);
        }

        await BlockAsync(() => locks.AcquireAllLocks(names, Bound, Cancellation).Dispose());
        await AssertNothingLeftAsync();
    }

    private sealed class Invoices(IDistributedLockProvider locks)
    {
        public int Sent { get; private set; }

        public bool TrySend(string customer)
        {
            using var handle = locks.TryAcquireLock(customer);
            return handle is not null && Send();
        }

        public async Task<bool> TrySendAsync(string customer, CancellationToken cancellationToken)
        {
            await using var handle = await locks.TryAcquireLockAsync(customer, cancellationToken: cancellationToken);
            return handle is not null && Send();
        }

        public void Send(string customer, TimeSpan timeout)
        {
            using (locks.AcquireLock(customer, timeout))
            {
                Send();
            }
        }

        public async Task SendAsync(string customer, TimeSpan timeout, CancellationToken cancellationToken)
        {
            await using (await locks.AcquireLockAsync(customer, timeout, cancellationToken))
            {
                Send();
            }
        }

        private bool Send() => ++Sent > 0;
    }
}
