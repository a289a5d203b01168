using Coordination.Stores.InMemory;
using Coordination.TestKit.Stores;
using Medallion.Threading;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.DistributedLock.Tests.DependencyInjection;

public class AddDistributedLockProviderTests
{
    [Fact]
    public async Task There_is_one_provider_however_often_it_is_added()
    {
        var services = new ServiceCollection();
        services.AddCoordination().UseInMemory().AddDistributedLockProvider().AddDistributedLockProvider();
        services.AddCoordination().AddDistributedLockProvider();
        await using var provider = services.BuildServiceProvider(new ServiceProviderOptions { ValidateOnBuild = true, ValidateScopes = true });
        var locks = Assert.Single(provider.GetServices<IDistributedLockProvider>());
        Assert.Same(locks, provider.GetRequiredService<IDistributedLockProvider>());
        Assert.Equal("orders", locks.CreateLock("orders").Name);

        // One object for all kinds, as DistributedLock's own providers are.
        Assert.Same(locks, Assert.Single(provider.GetServices<IDistributedSemaphoreProvider>()));
        Assert.Same(locks, Assert.Single(provider.GetServices<IDistributedReaderWriterLockProvider>()));
        Assert.Same(locks, Assert.Single(provider.GetServices<IDistributedUpgradeableReaderWriterLockProvider>()));
    }

    [Fact]
    public async Task A_provider_that_is_registered_already_stays()
    {
        var services = new ServiceCollection();
        var other = new OtherProvider();
        services.AddSingleton<IDistributedLockProvider>(other);
        services.AddCoordination().UseInMemory().AddDistributedLockProvider();
        await using var provider = services.BuildServiceProvider();
        Assert.Same(other, Assert.Single(provider.GetServices<IDistributedLockProvider>()));
        Assert.NotNull(provider.GetService<IDistributedSemaphoreProvider>());
        Assert.NotNull(provider.GetService<IDistributedUpgradeableReaderWriterLockProvider>());
    }

    [Fact]
    public async Task No_provider_is_added_that_would_split_a_name_between_readers_and_writers()
    {
        var services = new ServiceCollection();
        var other = new OtherProvider();
        services.AddSingleton<IDistributedReaderWriterLockProvider>(other);
        services.AddCoordination().UseInMemory().AddDistributedLockProvider();
        services.AddCoordination("billing").UseInMemory().AddDistributedLockProvider();
        await using var provider = services.BuildServiceProvider();
        Assert.Same(other, Assert.Single(provider.GetServices<IDistributedReaderWriterLockProvider>()));
        Assert.Null(provider.GetService<IDistributedUpgradeableReaderWriterLockProvider>());
        Assert.NotNull(provider.GetService<IDistributedSemaphoreProvider>());
        Assert.NotNull(provider.GetKeyedService<IDistributedUpgradeableReaderWriterLockProvider>("billing"));
    }

    [Fact]
    public async Task A_store_that_keeps_exclusive_locks_only_refuses_the_other_kinds()
    {
        var services = new ServiceCollection();
        services.AddCoordination().UseStore(new StoreWithoutAdministration(new InMemoryLockStore())).AddDistributedLockProvider();
        await using var provider = services.BuildServiceProvider();
        Assert.NotNull(provider.GetRequiredService<IDistributedLockProvider>().CreateLock("orders"));
        Assert.Throws<NotSupportedException>(() => provider.GetRequiredService<IDistributedSemaphoreProvider>().CreateSemaphore("orders", 2));
        Assert.Throws<NotSupportedException>(() => provider.GetRequiredService<IDistributedReaderWriterLockProvider>().CreateReaderWriterLock("orders"));
    }

    [Fact]
    [Failure("F84")]
    public async Task A_node_with_a_name_has_a_provider_under_that_name()
    {
        var services = new ServiceCollection();
        services.AddCoordination().UseInMemory().AddDistributedLockProvider();
        services.AddCoordination("billing").UseInMemory().AddDistributedLockProvider();
        await using var provider = services.BuildServiceProvider();
        var billing = provider.GetRequiredKeyedService<IDistributedLockProvider>("billing");
        await using var handle = await billing.CreateLock("orders").AcquireAsync(cancellationToken: TestContext.Current.CancellationToken);
        Assert.Null(await billing.CreateLock("orders").TryAcquireAsync(cancellationToken: TestContext.Current.CancellationToken));
        await using var other = await provider.GetRequiredService<IDistributedLockProvider>().CreateLock("orders").TryAcquireAsync(cancellationToken: TestContext.Current.CancellationToken);
        Assert.NotNull(other);
        Assert.Same(billing, provider.GetRequiredKeyedService<IDistributedSemaphoreProvider>("billing"));
        Assert.Same(billing, provider.GetRequiredKeyedService<IDistributedReaderWriterLockProvider>("billing"));
    }

    [Fact]
    public async Task Options_that_are_out_of_range_are_refused_when_the_lock_is_created()
    {
        var services = new ServiceCollection();
        services.AddCoordination().UseInMemory().AddDistributedLockProvider(name => name == "orders" ? new LockOptions { LeaseDuration = TimeSpan.Zero } : new LockOptions { AllowBarging = true });
        await using var provider = services.BuildServiceProvider();
        var (locks, semaphores) = (provider.GetRequiredService<IDistributedLockProvider>(), provider.GetRequiredService<IDistributedSemaphoreProvider>());
        var readers = provider.GetRequiredService<IDistributedReaderWriterLockProvider>();
        Assert.Throws<ArgumentOutOfRangeException>(() => locks.CreateLock("orders"));
        Assert.Throws<ArgumentOutOfRangeException>(() => semaphores.CreateSemaphore("orders", 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => readers.CreateReaderWriterLock("orders"));
        Assert.NotNull(locks.CreateLock("invoices"));
        Assert.Throws<ArgumentException>(() => semaphores.CreateSemaphore("invoices", 2));
        Assert.Throws<ArgumentException>(() => readers.CreateReaderWriterLock("invoices"));
    }

    [Fact]
    public void Without_a_builder_nothing_is_added() =>
        Assert.Throws<ArgumentNullException>("builder", () => DistributedLockCoordinationBuilderExtensions.AddDistributedLockProvider(null!));

    [Fact]
    public void No_handle_has_no_lease() => Assert.Throws<ArgumentNullException>("handle", () => ((IDistributedSynchronizationHandle)null!).GetLease());

    private sealed class OtherProvider : IDistributedLockProvider, IDistributedReaderWriterLockProvider
    {
        public IDistributedLock CreateLock(string name) => throw new NotSupportedException();

        public IDistributedReaderWriterLock CreateReaderWriterLock(string name) => throw new NotSupportedException();
    }
}
