using Coordination.Redis.DependencyInjection;
using Coordination.Redis.Tests.Servers;
using Coordination.TestKit.Servers;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Coordination.Redis.Tests.Connections;

/// <summary>No password of a connection string in a log line or an exception.</summary>
public sealed class SecretTests
{
    private const string Secret = "s3cr3t-pa55w0rd";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("password=" + Secret)]
    [InlineData("user=app,password=" + Secret)]
    [InlineData("password=" + Secret + ",protocol=resp2")]
    [Needs(Need.RedisServer)]
    public async Task A_wrong_password_is_not_named(string credentials)
    {
        await using var server = await RedisProcess.StartAsync("--requirepass", "another-pa55w0rd");

        await AssertNothingLeaksAsync($"{server.ConnectionString},{credentials}");
    }

    [Fact]
    public Task With_a_host_out_of_reach_no_secret_is_named() => AssertNothingLeaksAsync($"{FreePort.Local(FreePort.Take())},password={Secret}");

    [Fact]
    public Task With_an_unknown_host_no_secret_is_named() => AssertNothingLeaksAsync($"host.invalid:6379,password={Secret}");

    [Fact]
    [Needs(Need.RedisServer)]
    public async Task When_a_server_dies_no_secret_is_named()
    {
        await using var server = await RedisProcess.StartAsync("--requirepass", Secret);
        await using var node = Node($"{server.ConnectionString},password={Secret}");
        await node.Administration.PingAsync(Token);
        await server.KillAsync();

        LockStoreException? error = null;
        await Eventually.IsTrueAsync(
            async () => (error = await Record.ExceptionAsync(() => node.Administration.PingAsync(Token)) as LockStoreException) is not null,
            TimeSpan.FromSeconds(20),
            "the store fails");

        Assert.DoesNotContain(Secret, error!.ToString(), StringComparison.Ordinal);
        AssertLogsAreClean(node);
    }

    [Theory]
    [InlineData("localhost,password=" + Secret + ",connectTimeout=" + Secret)]
    [InlineData("localhost," + Secret + "=1")]
    [InlineData("password=" + Secret)]
    [InlineData("localhost,password=a," + Secret)]
    [InlineData("localhost,password=a," + Secret + ":6379")]
    [InlineData("localhost,password=a,b," + Secret)]
    [InlineData("password=a," + Secret)]
    [InlineData("password=a," + Secret + ",localhost:6379")]
    [InlineData("ssl=true,password=a," + Secret + ",localhost:6379")]
    [InlineData("redis://:" + Secret + "@localhost")]
    [InlineData("app:" + Secret + "@localhost:6379")]
    public void Of_a_bad_connection_string_no_secret_is_named(string connectionString)
    {
        var validator = new RedisStoreOptionsValidator(Options.Create(new CoordinationOptions()));

        var result = validator.Validate(null, new RedisStoreOptions { ConnectionString = connectionString });

        Assert.True(result.Failed);
        Assert.DoesNotContain(Secret, result.FailureMessage, StringComparison.Ordinal);
    }

    [Theory]
    [Failure("F86")]
    [InlineData("!/run/redis/redis.sock")]
    [InlineData("!@name")]
    [InlineData("!@name,password=" + Secret)]
    [InlineData("ssl=true,localhost")]
    [InlineData("ssl=true,name=worker,localhost:6379,localhost:6380")]
    [InlineData("password=" + Secret + ",localhost:6379")]
    [InlineData("user=app,password=" + Secret + ",localhost:6379,connectTimeout=1000")]
    [InlineData("password=" + Secret + ",!@name")]
    [InlineData("password=" + Secret + ",ssl=true,localhost")]
    [InlineData("localhost,password=" + Secret + ",ssl=true,localhost:6380")]
    public void What_the_client_library_takes_is_taken(string connectionString)
    {
        var validator = new RedisStoreOptionsValidator(Options.Create(new CoordinationOptions()));

        Assert.NotEmpty(ConfigurationOptions.Parse(connectionString).EndPoints);
        Assert.True(validator.Validate(null, new RedisStoreOptions { ConnectionString = connectionString }).Succeeded);
    }

    [Fact]
    [Failure("F86")]
    [Needs(Need.RedisServer)]
    public async Task A_socket_of_the_file_system_is_a_server()
    {
        await using var server = await RedisProcess.StartAsync(server => ["--port", "0", "--unixsocket", Path.Combine(server.Folder, "redis.sock")]);
        await using var node = Node($"!{Path.Combine(server.Folder, "redis.sock")}");

        await node.Administration.PingAsync(Token);
    }

    private static TestNode Node(string connectionString) =>
        new(builder => builder.UseRedis(connectionString, options => options.CommandTimeout = TimeSpan.FromSeconds(1)));

    private static async Task AssertNothingLeaksAsync(string connectionString)
    {
        await using var node = Node(connectionString);
        foreach (var start in node.Services.GetServices<IHostedService>().OfType<IHostedLifecycleService>())
        {
            foreach (var step in new[] { start.StartingAsync, start.StartedAsync })
            {
                if (await Record.ExceptionAsync(() => step(Token)) is { } refused)
                {
                    Assert.DoesNotContain(Secret, refused.ToString(), StringComparison.Ordinal);
                }
            }
        }

        for (var i = 0; i < 3; i++)
        {
            var error = await Assert.ThrowsAsync<LockStoreException>(() => node.Administration.PingAsync(Token));
            Assert.DoesNotContain(Secret, error.ToString(), StringComparison.Ordinal);
        }

        AssertLogsAreClean(node);
    }

    private static void AssertLogsAreClean(TestNode node) =>
        Assert.DoesNotContain(node.Logs.GetSnapshot(), line => line.Message.Contains(Secret, StringComparison.Ordinal)
            || line.Exception?.ToString().Contains(Secret, StringComparison.Ordinal) == true);
}
