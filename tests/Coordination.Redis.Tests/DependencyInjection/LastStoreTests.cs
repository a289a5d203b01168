using Coordination.Redis.Stores;
using Coordination.Stores;
using Coordination.Stores.InMemory;
using Coordination.Testing;
using Coordination.TestKit.Network;
using Coordination.TestKit.Servers;
using Coordination.TestKit.Stores;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using StackExchange.Redis;

namespace Coordination.Redis.Tests.DependencyInjection;

/// <summary>The last store that was chosen counts, as in a test host that puts another in the place of the application's; of the others nothing starts.</summary>
public sealed class LastStoreTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string> Others => [.. Choices.Keys];

    private static Dictionary<string, Action<ICoordinationBuilder>> Choices { get; } = new()
    {
        ["UseInMemory"] = builder => builder.UseInMemory(),
        ["UseControllableStore"] = builder => builder.UseControllableStore(new ControllableLockStore()),
        ["AddSingleton"] = builder => builder.Services.AddSingleton<ILockStore>(new InMemoryLockStore(TimeProvider.System)),
        ["Replace"] = builder => builder.Services.Replace(ServiceDescriptor.Singleton<ILockStore>(_ => new InMemoryLockStore(TimeProvider.System))),
        ["RemoveAll"] = builder => builder.Services.RemoveAll<ILockStore>().AddSingleton<ILockStore>(new InMemoryLockStore(TimeProvider.System)),
    };

    [Theory]
    [Failure("F48")]
    [MemberData(nameof(Others))]
    public async Task After_UseRedis_another_store_counts_and_nothing_connects(string other)
    {
        using var listener = new ConnectionCounter();
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        Choices[other](builder.Services.AddCoordination().UseRedis(FreePort.Local(listener.Port)));
        using var host = builder.Build();

        await host.StartAsync(Token);

        await (await host.Services.GetRequiredService<ILockProvider>().GetLock("orders").AcquireAsync(Token)).DisposeAsync();
        Assert.IsNotType<RedisLockStore>(host.Services.GetRequiredService<ILockStore>());
        await host.StopAsync(Token);
        Assert.Equal(0, listener.Count);
    }

    [Theory]
    [Failure("F48")]
    [MemberData(nameof(Others))]
    public async Task After_UseRedis_with_bad_options_and_no_connection_another_store_starts(string other)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        // In a test host, with a clock that the test moves.
        builder.Services.AddSingleton<TimeProvider>(new FakeTimeProvider());
        Choices[other](builder.Services.AddCoordination().UseRedis(options => (options.KeyPrefix, options.Database) = (string.Empty, -1)));
        using var host = builder.Build();

        await host.StartAsync(Token);
    }

    /// <summary>No server is there, so the examination that is put off tells that Redis is asked.</summary>
    [Theory]
    [Failure("F48")]
    [MemberData(nameof(Others))]
    public async Task After_another_store_UseRedis_counts_and_is_examined(string other)
    {
        using var listener = new ConnectionCounter();
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        var coordination = builder.Services.AddCoordination();
        Choices[other](coordination);
        coordination.UseRedis(FreePort.Local(listener.Port) + ",connectTimeout=300");
        using var host = builder.Build();

        await host.StartAsync(Token);

        Assert.IsType<RedisLockStore>(host.Services.GetRequiredService<ILockStore>());
        Assert.NotEqual(0, listener.Count);
    }

    [Fact]
    [Failure("F48")]
    public async Task Of_two_UseRedis_the_last_counts_and_there_is_one_examination()
    {
        using var first = new ConnectionCounter();
        using var second = new ConnectionCounter();
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddCoordination()
            .UseRedis(ConfigurationOptions.Parse(FreePort.Local(first.Port)))
            .UseRedis(FreePort.Local(second.Port) + ",connectTimeout=300");
        using var host = builder.Build();

        await host.StartAsync(Token);

        Assert.Equal(0, first.Count);
        Assert.NotEqual(0, second.Count);
        Assert.Single(host.Services.GetServices<IHostedService>(), service => service.GetType().Name == "ExaminationAtStart");
    }

    /// <summary>It is used, only not by itself: behind another one.</summary>
    [Fact]
    [Failure("F48")]
    public async Task A_store_that_stands_before_Redis_has_it_examined()
    {
        using var listener = new ConnectionCounter();
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddCoordination().UseRedis(FreePort.Local(listener.Port) + ",connectTimeout=300");
        var redis = builder.Services.Single(service => service.ServiceType == typeof(ILockStore));
        builder.Services.Replace(ServiceDescriptor.Singleton<ILockStore>(services => new Before((ILockStore)redis.ImplementationFactory!(services))));
        using var host = builder.Build();

        await host.StartAsync(Token);

        Assert.NotEqual(0, listener.Count);
    }

    [Fact]
    [Failure("F48")]
    public async Task Bad_options_of_the_store_that_counts_fail_the_start_still()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddCoordination().UseInMemory().UseRedis("localhost", options => options.KeyPrefix = string.Empty);
        using var host = builder.Build();

        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(Token));

        Assert.Contains("KeyPrefix", error.Message, StringComparison.Ordinal);
    }

    private sealed class Before(ILockStore store) : DelegatingLockStore(store);
}
