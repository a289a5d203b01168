using Coordination.Redis.Connections;
using Coordination.Redis.Tests.Servers;
using Coordination.Stores;
using Coordination.TestKit.Servers;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Coordination.Redis.Tests.DependencyInjection;

/// <summary>How the store is registered. On a redis-server where there is a connection.</summary>
public sealed class UseRedisTests(RedisServerFixture server)
{
    private readonly LockOwner _ada = new("host-1-ada", 1);
    private readonly string _prefix = "test-" + Guid.NewGuid().ToString("N")[..8];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Needs(Need.RedisServer)]
    public async Task Options_come_from_the_configuration()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Coordination:Redis:ConnectionString"] = await server.GetConnectionStringAsync(),
            ["Coordination:Redis:KeyPrefix"] = _prefix,
            ["Coordination:Redis:Database"] = "3",
            ["Coordination:Redis:CommandTimeout"] = "00:00:02",
            ["Coordination:Redis:ProbeOnStart"] = "false",
            ["Coordination:Redis:DedicatedThreads"] = "true",
        });
        builder.Services.AddCoordination().UseRedis();
        using var host = builder.Build();
        var options = host.Services.GetRequiredService<IOptions<RedisStoreOptions>>().Value;
        Assert.Equal(TimeSpan.FromSeconds(2), options.CommandTimeout);
        Assert.False(options.ProbeOnStart);

        await AcquireAsync(host.Services.GetRequiredService<ILockStore>());

        await using var connection = await ConnectionMultiplexer.ConnectAsync(await server.GetConnectionStringAsync());
        Assert.True(await connection.GetDatabase(3).KeyExistsAsync(LockText.KeyOf(_prefix, "orders")));
        Assert.False(await connection.GetDatabase(0).KeyExistsAsync(LockText.KeyOf(_prefix, "orders")));
    }

    [Fact]
    [Needs(Need.RedisServer)]
    public async Task Options_in_code_win_over_the_configuration()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Coordination:Redis:ConnectionString"] = "elsewhere.invalid",
            ["Coordination:Redis:KeyPrefix"] = "elsewhere",
        });
        builder.Services.AddCoordination().UseRedis(await server.GetConnectionStringAsync(), options => options.KeyPrefix = _prefix);
        using var host = builder.Build();

        Assert.True((await AcquireAsync(host.Services.GetRequiredService<ILockStore>())).IsGranted);
    }

    [Fact]
    [Needs(Need.RedisServer)]
    public async Task Options_of_a_connection_are_copied_and_the_copy_suits_leases()
    {
        var given = ConfigurationOptions.Parse(await server.GetConnectionStringAsync());
        given.ChannelPrefix = RedisChannel.Literal("app:");
        await using var node = new TestNode(builder => builder.UseRedis(given, options => options.KeyPrefix = _prefix));

        await AcquireAsync(node.Store);

        Assert.True(given.AbortOnConnectFail);
        Assert.Null(given.ClientName);
        var made = ConnectionSettings.ToMake(node.Options, new CoordinationOptions { LeaseDuration = TimeSpan.FromSeconds(3), NodeName = "rack 7" })!;
        Assert.False(made.AbortOnConnectFail);
        Assert.False(made.BacklogPolicy.QueueWhileDisconnected);
        Assert.True(made.HeartbeatInterval <= TimeSpan.FromMilliseconds(250));
        Assert.Equal(500, made.AsyncTimeout);
        Assert.Equal(500, made.SyncTimeout);
        Assert.True(made.ChannelPrefix.IsNullOrEmpty);
        Assert.StartsWith("coordination:rack-7:", made.ClientName, StringComparison.Ordinal);
        Assert.True(ConnectionMultiplexer.GetFeatureFlag("DedicatedThreads"));
    }

    [Fact]
    [Needs(Need.RedisServer)]
    public async Task A_registered_connection_is_used_not_disposed_and_warned_of_where_it_is_unfit()
    {
        var settings = ConfigurationOptions.Parse(await server.GetConnectionStringAsync());
        settings.ChannelPrefix = RedisChannel.Literal("app:");
        await using var connection = await ConnectionMultiplexer.ConnectAsync(settings);
        await using (var node = GivenNode(connection))
        {
            await AcquireAsync(node.Store);
            var warnings = Warnings(node);
            foreach (var setting in (string[])["BacklogPolicy", "HeartbeatInterval", "AsyncTimeout", "ChannelPrefix"])
            {
                Assert.Contains(warnings, warning => warning.Contains(setting, StringComparison.Ordinal));
            }
        }

        Assert.True(connection.IsConnected);
        await connection.GetDatabase().PingAsync();
    }

    [Fact]
    [Needs(Need.RedisServer)]
    public async Task Of_a_registered_connection_that_suits_leases_nobody_is_warned()
    {
        var settings = ConfigurationOptions.Parse(await server.GetConnectionStringAsync());
        settings.BacklogPolicy = BacklogPolicy.FailFast;
        settings.HeartbeatInterval = TimeSpan.FromMilliseconds(250);
        settings.AsyncTimeout = 1000;
        ConnectionMultiplexer.SetFeatureFlag("DedicatedThreads", true);
        await using var connection = await ConnectionMultiplexer.ConnectAsync(settings);
        await using var node = GivenNode(connection);

        await AcquireAsync(node.Store);

        Assert.Empty(Warnings(node));
    }

    [Fact]
    public async Task No_connection_is_an_error_that_says_what_to_do()
    {
        await using var node = new TestNode(builder => builder.UseRedis());

        var error = Assert.Throws<InvalidOperationException>(() => node.Store);

        Assert.Contains("Coordination:Redis:ConnectionString", error.Message, StringComparison.Ordinal);
        Assert.Contains("IConnectionMultiplexer", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [Failure("F83")]
    [InlineData("ConnectonString", "localhost:6379", "UseRedis() found no connection")]
    [InlineData("KeyPrefx", "shop", "Coordination:Redis:KeyPrefix")]
    public async Task A_start_that_fails_names_the_misspelt_keys(string misspelt, string value, string failure)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection([new($"Coordination:Redis:{misspelt}", value)]);
        builder.Services.AddCoordination().UseRedis(o => o.KeyPrefix = misspelt == "KeyPrefx" ? "two words" : "shop");
        using var host = builder.Build();

        var error = await Record.ExceptionAsync(() => host.StartAsync(TestContext.Current.CancellationToken));

        Assert.Contains(failure, error?.Message, StringComparison.Ordinal);
        Assert.Contains($"The configuration has Coordination:Redis:{misspelt}, and nothing reads it.", error?.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Failure("F84")]
    public async Task A_factory_of_a_connection_that_returns_null_is_an_error_that_says_so()
    {
        await using var other = await ConnectionMultiplexer.ConnectAsync("127.0.0.1:1,abortConnect=false");
        await using var node = new TestNode(builder =>
        {
            builder.Services.AddSingleton<IConnectionMultiplexer>(other);
            builder.UseRedis(_ => (IConnectionMultiplexer)null!);
        });

        Assert.Contains("returned null", Assert.Throws<InvalidOperationException>(() => node.Store).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("KeyPrefix", "")]
    [InlineData("KeyPrefix", "two words")]
    [InlineData("KeyPrefix", "{tag}")]
    [InlineData("KeyPrefix", "a\tb")]
    [InlineData("KeyPrefix", "long")]
    [InlineData("Database", "-1")]
    [InlineData("CommandTimeout", "1")]
    [InlineData("ReplicationTimeout", "48:00:00")]
    [InlineData("CommandTimeout", "00:00:00")]
    [InlineData("CommandTimeout", "00:00:05")]
    [InlineData("CommandTimeout", "00:02:00")]
    public async Task Bad_options_fail_the_start_and_are_named(string option, string value)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Coordination:Redis:" + option] = value == "long" ? new string('ä', 65) : value,
        });
        builder.Services.AddCoordination().UseRedis("localhost");
        using var host = builder.Build();

        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(Token));

        Assert.Contains("Coordination:Redis:" + option, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("shop", 0xD83D, "", "Redis:KeyPrefix has U+D83D behind 'shop', which is half a surrogate pair")]
    [InlineData("shop", 0xDD12, "a", "Redis:KeyPrefix has U+DD12 behind 'shop', which is half a surrogate pair")]
    [InlineData("🔒", 0xD83D, "b", "Redis:KeyPrefix has U+D83D behind '🔒', which is half a surrogate pair")]
    public async Task A_prefix_whose_keys_would_be_those_of_another_is_refused(string before, int half, string after, string expected)
    {
        // An attribute cannot have half of a surrogate pair.
        var prefix = before + (char)half + after;
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddCoordination().UseRedis("localhost", options => options.KeyPrefix = prefix);
        using var host = builder.Build();

        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(Token));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Contains("Set 1 to 128 bytes of valid Unicode", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Needs(Need.RedisServer)]
    public async Task Operations_are_one_round_trip_each()
    {
        await using var own = await RedisProcess.StartAsync();
        await using var node = new TestNode(own.ConnectionString, _prefix);
        // The first of each loads its script.
        await LiveAsync(node);
        await using var connection = await own.ConnectAsOperatorAsync();
        await connection.GetServers()[0].ConfigResetStatisticsAsync();

        await LiveAsync(node);

        var calls = (await connection.GetServers()[0].InfoAsync("commandstats")).Single().ToDictionary(line => line.Key, line => line.Value);
        Assert.StartsWith("calls=4,", calls["cmdstat_evalsha"], StringComparison.Ordinal);
        Assert.DoesNotContain("cmdstat_eval", calls.Keys);
        Assert.DoesNotContain("cmdstat_script|load", calls.Keys);
    }

    private async Task LiveAsync(TestNode node)
    {
        await AcquireAsync(node.Store);
        await node.Store.RenewAsync([Requests.Renew("orders", _ada, TimeSpan.FromSeconds(5))], Token);
        await node.Administration.GetHolderAsync("orders", Token);
        await node.Store.ReleaseAsync(Requests.Release("orders", _ada, TimeSpan.FromSeconds(1)), Token);
    }

    private Task<AcquireReply> AcquireAsync(ILockStore store) =>
        store.AcquireAsync(Requests.Acquire("orders", _ada, TimeSpan.FromSeconds(5), claimWindow: TimeSpan.FromSeconds(1)), Token);

    private TestNode GivenNode(IConnectionMultiplexer connection) =>
        new(builder =>
        {
            builder.Services.AddSingleton(connection);
            builder.UseRedis(options => options.KeyPrefix = _prefix);
        });

    private static string[] Warnings(TestNode node) =>
        [.. node.Logs.GetSnapshot().Where(line => line.Level >= LogLevel.Warning && line.Id.Id != 1114).Select(line => line.Message)];
}
