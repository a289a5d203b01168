using Coordination.Redis.Connections;
using Coordination.TestKit.Nodes;
using Coordination.TestKit.Servers;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Coordination.Redis.Tests.DependencyInjection;

/// <summary>F84: which server a node has when several are named, and several nodes in one container.</summary>
public sealed class SeveralNodesTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Failure("F84")]
    public void What_is_set_in_code_wins_over_the_configuration_however_often_Redis_is_chosen()
    {
        var options = Options(
            [new("ConnectionString", "configured:1"), new("KeyPrefix", "configured"), new("Database", "7")],
            builder => builder.UseRedis("first:1", options => options.KeyPrefix = "first").UseRedis(options => options.CommandTimeout = TimeSpan.FromMilliseconds(300)));

        Assert.Equal(("first:1", "first", 7, TimeSpan.FromMilliseconds(300)), (options.ConnectionString, options.KeyPrefix, options.Database, options.CommandTimeout));
    }

    [Fact]
    [Failure("F84")]
    public void Of_several_servers_the_last_one_counts()
    {
        Assert.Equal("b:1", Server(builder => builder.UseRedis("a:1").UseRedis("b:1")));
        Assert.Equal("b:1", Server(builder => builder.UseRedis("a:1").UseRedis(ConfigurationOptions.Parse("b:1"))));
        Assert.Equal("b:1", Server(builder => builder.UseRedis(ConfigurationOptions.Parse("a:1")).UseRedis("b:1")));
        Assert.Equal("b:1", Server(builder => builder.UseRedis(_ => (IConnectionMultiplexer)null!).UseRedis("b:1")));
        Assert.Null(Server(builder => builder.UseRedis("a:1").UseRedis(_ => (IConnectionMultiplexer)null!)));
        Assert.Null(Server(builder => builder.UseRedis("a:1").UseRedis(_ => Task.FromResult<IConnectionMultiplexer>(null!))));

        static string? Server(Action<ICoordinationBuilder> useRedis) =>
            ConnectionSettings.ToMake(Options([new("ConnectionString", "configured:1")], useRedis), new CoordinationOptions())?.EndPoints.Single() is { } server ? ServerAddress.Of(server) : null;
    }

    [Theory]
    [Failure("F84")]
    [Needs(Need.RedisServer)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_connection_under_a_key_or_one_that_is_made_is_used_and_not_disposed(bool takesTime)
    {
        await using var server = await RedisProcess.StartAsync();
        await using var connection = await ConnectionMultiplexer.ConnectAsync(server.ConnectionString);
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.AddFakeLogging();
        builder.Services.AddKeyedSingleton<IConnectionMultiplexer>("locks", connection);
        var coordination = builder.Services.AddCoordination();
        _ = takesTime
            ? coordination.UseRedis(async services =>
            {
                await Task.Yield();
                return services.GetRequiredKeyedService<IConnectionMultiplexer>("locks");
            })
            : coordination.UseRedis(services => services.GetRequiredKeyedService<IConnectionMultiplexer>("locks"));
        using (var host = builder.Build())
        {
            await host.StartAsync(Token);
            await using var lease = await host.Services.GetRequiredService<ILockProvider>().GetLock("work").AcquireAsync(Token);
            Assert.True(await connection.GetDatabase().KeyExistsAsync(LockText.KeyOf("coordination", "work")));
            await lease.ReleaseAsync(Token);

            // As of each that is handed in.
            Assert.Contains(host.Services.FlushedLogs.GetSnapshot(), line => line.Id.Id == 1103);
            await host.StopAsync(Token);
            await ((IAsyncDisposable)host).DisposeAsync();
        }

        await connection.GetDatabase().PingAsync();
    }

    [Fact]
    [Failure("F84")]
    [Needs(Need.RedisServer)]
    public async Task A_connection_that_could_not_be_made_is_made_by_a_later_call()
    {
        await using var server = await RedisProcess.StartAsync();
        await using var connection = await ConnectionMultiplexer.ConnectAsync(server.ConnectionString);
        var calls = 0;
        var services = new ServiceCollection();
        services.AddCoordination().UseRedis(
            _ => ++calls == 1 ? Task.FromException<IConnectionMultiplexer>(new TimeoutException()) : Task.FromResult<IConnectionMultiplexer>(connection));
        await using var container = services.BuildServiceProvider();

        await using var lease = await container.GetRequiredService<ILockProvider>().GetLock("work").TryAcquireAsync(Token);

        Assert.NotNull(lease);
        Assert.Equal(2, calls);
    }

    [Fact]
    [Failure("F84")]
    [Needs(Need.RedisServer)]
    public async Task Nodes_have_their_own_servers_sections_and_examinations()
    {
        await using var first = await RedisProcess.StartAsync("--appendonly", "yes");
        await using var second = await RedisProcess.StartAsync("--appendonly", "yes");
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { EnvironmentName = Environments.Development });
        builder.Logging.AddFakeLogging();
        builder.Configuration.AddInMemoryCollection(
        [
            new("Coordination:Redis:ConnectionString", first.ConnectionString),
            new("Coordination:billing:Redis:ConnectionString", second.ConnectionString),
            new("Coordination:billing:Redis:KeyPrefix", "billing"),
        ]);
        builder.Services.AddCoordination().UseRedis();
        builder.Services.AddCoordination("billing").UseRedis().UseRedis();
        using var host = builder.Build();
        await host.StartAsync(Token);

        Assert.Equal(2, host.Services.FlushedLogs.GetSnapshot().Count(line => line.Id.Id == 1100));
        await using var one = await host.Services.GetRequiredService<ILockProvider>().GetLock("work").AcquireAsync(Token);
        await using var other = await host.Services.GetRequiredKeyedService<ILockProvider>("billing").GetLock("work").AcquireAsync(Token);
        Assert.Equal(1, (int)await RedisTopology.AskAsync(first, "EXISTS", LockText.KeyOf("coordination", "work")));
        Assert.Equal(1, (int)await RedisTopology.AskAsync(second, "EXISTS", LockText.KeyOf("billing", "work")));
        Assert.Equal(0, (int)await RedisTopology.AskAsync(first, "EXISTS", LockText.KeyOf("billing", "work")));
    }

    [Fact]
    [Failure("F84")]
    public async Task What_is_wrong_with_a_nodes_server_is_said_of_its_section()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(
        [
            new("Coordination:billing:Redis:KeyPrefix", "two words"),
            new("Coordination:billing:Redis:CommandTimeout", "00:00:05"),
        ]);
        builder.Services.AddCoordination().UseInMemory();
        builder.Services.AddCoordination("billing").UseRedis("localhost");
        using var host = builder.Build();

        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(Token));

        Assert.Contains("Coordination:billing:Redis:KeyPrefix", error.Message, StringComparison.Ordinal);
        Assert.Contains("a longer Coordination:billing:LeaseDuration", error.Message, StringComparison.Ordinal);
    }

    private static RedisStoreOptions Options(IEnumerable<KeyValuePair<string, string?>> configured, Action<ICoordinationBuilder> useRedis)
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder()
            .AddInMemoryCollection(configured.Select(setting => KeyValuePair.Create($"Coordination:Redis:{setting.Key}", setting.Value)))
            .Build());
        useRedis(services.AddCoordination());
        using var container = services.BuildServiceProvider();
        return container.GetRequiredService<IOptions<RedisStoreOptions>>().Value;
    }
}
