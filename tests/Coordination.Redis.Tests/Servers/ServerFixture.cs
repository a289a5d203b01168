using Coordination.Redis.Tests.Servers;
using Coordination.Testing;
using DotNet.Testcontainers.Builders;
using StackExchange.Redis;
using Testcontainers.Redis;

[assembly: AssemblyFixture(typeof(RedisServerFixture))]
[assembly: AssemblyFixture(typeof(RedisContainerFixture))]
[assembly: AssemblyFixture(typeof(GarnetFixture))]

namespace Coordination.Redis.Tests.Servers;

/// <summary>
/// A server that the tests of a run share, started for the first test that asks for it. Where it cannot be had, tests that
/// need it are skipped and say what they need: never does another server take its place.
/// </summary>
public abstract class ServerFixture : IAsyncLifetime
{
    private readonly SemaphoreSlim _starting = new(1, 1);
    private Task<string>? _start;
    private string? _identity;

    public async Task<string> GetConnectionStringAsync()
    {
        await _starting.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            // Once for all tests, also when it fails.
            _start ??= StartAndIdentifyAsync();
        }
        finally
        {
            _starting.Release();
        }

        var connectionString = await _start;
        TestContext.Current.TestOutputHelper?.WriteLine(_identity!);
        return connectionString;
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await StopAsync();
        _starting.Dispose();
    }

    /// <summary>Starts the server, or skips the test.</summary>
    protected abstract Task<string> StartAsync();

    protected abstract ValueTask StopAsync();

    private async Task<string> StartAndIdentifyAsync()
    {
        var connectionString = await StartAsync();
        _identity = await IdentifyAsync(connectionString);
        Console.WriteLine(_identity);
        return connectionString;
    }

    private async Task<string> IdentifyAsync(string connectionString)
    {
        await using var connection = await ConnectionMultiplexer.ConnectAsync(connectionString + ",allowAdmin=true");
        var info = (await connection.GetServers()[0].InfoRawAsync("server"))!
            .Split('\n', StringSplitOptions.TrimEntries)
            .Where(line => line.StartsWith("redis_version:", StringComparison.Ordinal) || line.StartsWith("garnet_version:", StringComparison.Ordinal));
        return $"{GetType().Name}: {connectionString} ({string.Join(", ", info)})";
    }
}

/// <summary>A redis-server process.</summary>
public sealed class RedisServerFixture : ServerFixture
{
    private RedisProcess? _server;

    protected override async Task<string> StartAsync()
    {
        _server = await RedisProcess.StartAsync();
        return _server.ConnectionString;
    }

    protected override ValueTask StopAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;
}

/// <summary>Redis in a container.</summary>
public sealed class RedisContainerFixture : ServerFixture
{
    private const string Image = "redis:7.0";
    private RedisContainer? _container;

    protected override async Task<string> StartAsync()
    {
        try
        {
            _container = new RedisBuilder(Image).Build();
            await _container.StartAsync(TestContext.Current.CancellationToken);
        }
        catch (DockerUnavailableException)
        {
            Assert.Skip($"needs a container engine that can start {Image}: install Docker, or set DOCKER_HOST");
        }

        return _container.GetConnectionString();
    }

    protected override ValueTask StopAsync() => _container?.DisposeAsync() ?? ValueTask.CompletedTask;
}

/// <summary>Garnet in this process.</summary>
public sealed class GarnetFixture : ServerFixture
{
    private EmbeddedServer? _server;

    protected override async Task<string> StartAsync()
    {
        _server = await EmbeddedServer.StartAsync(TestContext.Current.CancellationToken);
        return _server.ConnectionString;
    }

    protected override ValueTask StopAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;
}
