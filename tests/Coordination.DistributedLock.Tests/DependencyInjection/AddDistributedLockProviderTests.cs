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
    }

    [Fact]
    public async Task Options_that_are_out_of_range_are_refused_when_the_lock_is_created()
    {
        var services = new ServiceCollection();
        services.AddCoordination().UseInMemory().AddDistributedLockProvider(_ => new LockOptions { LeaseDuration = TimeSpan.Zero });
        await using var provider = services.BuildServiceProvider();
        Assert.Throws<ArgumentOutOfRangeException>(() => provider.GetRequiredService<IDistributedLockProvider>().CreateLock("orders"));
    }

    [Fact]
    public void Without_a_builder_nothing_is_added() =>
        Assert.Throws<ArgumentNullException>("builder", () => DistributedLockCoordinationBuilderExtensions.AddDistributedLockProvider(null!));

    [Fact]
    public void No_handle_has_no_lease() => Assert.Throws<ArgumentNullException>("handle", () => ((IDistributedSynchronizationHandle)null!).GetLease());

    private sealed class OtherProvider : IDistributedLockProvider
    {
        public IDistributedLock CreateLock(string name) => throw new NotSupportedException();
    }
}
