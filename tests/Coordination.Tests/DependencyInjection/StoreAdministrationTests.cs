using Coordination.Stores;
using Coordination.Stores.InMemory;
using Coordination.Testing;
using Coordination.TestKit.Stores;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Coordination.Tests.DependencyInjection;

/// <summary>Which administration a node asks.</summary>
public sealed class StoreAdministrationTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_is_the_store_itself()
    {
        await using var inMemory = Node(builder => builder.UseInMemory());
        await using var controllable = Node(builder => builder.UseControllableStore(new ControllableLockStore()));
        foreach (var node in (ServiceProvider[])[inMemory, controllable])
        {
            Assert.Same(node.GetRequiredService<ILockStore>(), node.GetRequiredService<ILockStoreAdministration>());
        }
    }

    [Fact]
    public async Task It_is_that_of_the_store_that_was_registered_last()
    {
        var last = new InMemoryLockStore();
        await using var node = Node(builder => builder.UseInMemory().Services.AddSingleton<ILockStore>(last));
        Assert.Same(last, node.GetRequiredService<ILockStoreAdministration>());
    }

    [Fact]
    public async Task One_of_its_own_may_be_registered()
    {
        var inner = new InMemoryLockStore();
        await using var node = Node(builder => builder.Services
            .AddSingleton<ILockStore>(new StoreWithoutAdministration(inner))
            .AddSingleton<ILockStoreAdministration>(inner));
        await using var lease = await node.GetRequiredService<ILockProvider>().GetLock("work").AcquireAsync(Token);
        var inspection = await node.GetRequiredService<ILockInspector>().InspectAsync("work", cancellationToken: Token);
        Assert.Equal(lease.Owner, inspection.Holder!.Owner);
    }

    [Fact]
    public async Task Without_it_there_are_locks_and_an_inspector_that_says_what_is_missing()
    {
        await using var node = Node(builder => builder.Services.AddSingleton<ILockStore>(new StoreWithoutAdministration(new InMemoryLockStore())));
        var work = node.GetRequiredService<ILockProvider>().GetLock("work");
        await using var lease = await work.AcquireAsync(Token);
        Assert.Null(await work.TryAcquireAsync(Token));

        var inspector = node.GetRequiredService<ILockInspector>();
        foreach (var call in (Func<Task>[])
            [
                () => inspector.InspectAsync("work", cancellationToken: Token),
                () => inspector.CountAsync(Token),
                () => inspector.RevokeAsync("work", lease.FencingToken, Token),
                () => inspector.ForgetOccurrenceAsync("work", "series", Token),
                () => inspector.StepDownAsync("work", cancellationToken: Token),
            ])
        {
            var error = await Assert.ThrowsAsync<NotSupportedException>(call);
            Assert.Contains("The store 'bare' has no administration", error.Message, StringComparison.Ordinal);
            Assert.Contains(nameof(StoreWithoutAdministration), error.Message, StringComparison.Ordinal);
        }

        // A store that lacks something is not away.
        Assert.DoesNotContain(node.GetFakeLogCollector().GetSnapshot(), record => record.Level >= LogLevel.Warning);
    }

    [Fact]
    public async Task A_store_that_the_container_was_only_handed_is_not_disposed_by_it()
    {
        await using var store = new DisposableStore();
        var node = Node(builder => builder.Services.AddSingleton<ILockStore>(store));
        await using (node)
        {
            await node.GetRequiredService<ILockInspector>().InspectAsync("work", cancellationToken: Token);
        }

        Assert.False(store.IsDisposed);
    }

    private static ServiceProvider Node(Action<ICoordinationBuilder> useStore)
    {
        var services = new ServiceCollection().AddLogging(logging => logging.AddFakeLogging());
        useStore(services.AddCoordination());
        return services.BuildServiceProvider();
    }

    private sealed class DisposableStore() : DelegatingLockStore(new InMemoryLockStore()), IAsyncDisposable
    {
        public bool IsDisposed { get; private set; }

        public ValueTask DisposeAsync()
        {
            IsDisposed = true;
            return ValueTask.CompletedTask;
        }
    }
}
