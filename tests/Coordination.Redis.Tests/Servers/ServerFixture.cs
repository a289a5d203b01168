using Coordination.Redis.Errors;
using Coordination.Redis.Tests.Servers;
using StackExchange.Redis;
using Testcontainers.Redis;
using Xunit.v3;

[assembly: AssemblyFixture(typeof(RedisServerFixture))]
[assembly: AssemblyFixture(typeof(RedisContainerFixture))]
[assembly: AssemblyFixture(typeof(GarnetFixture))]
[assembly: AssemblyFixture(typeof(ClusterFixture))]
[assembly: AssemblyFixture(typeof(SentinelFixture))]
[assembly: AssemblyFixture(typeof(AclFixture))]
[assembly: AssemblyFixture(typeof(TlsFixture))]

// Most of their time they wait for the end of a lease.
[assembly: Parallelization(MaxThreads = 4)]

namespace Coordination.Redis.Tests.Servers;

/// <summary>
/// A server that the tests of a run share, started for the first test that asks for it. Where it is missing, the tests that need it
/// are left out: never does another server take its place.
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

    /// <summary>How a node connects.</summary>
    public async Task<ConfigurationOptions> GetSettingsAsync() => Parse(await GetConnectionStringAsync());

    /// <summary>A connection for what an operator does.</summary>
    public async Task<ConnectionMultiplexer> ConnectAsOperatorAsync() => await ConnectAsOperatorAsync(await GetConnectionStringAsync());

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await StopAsync();
        _starting.Dispose();
    }

    /// <summary>Starts the server.</summary>
    protected abstract Task<string> StartAsync();

    protected abstract ValueTask StopAsync();

    /// <summary>What cannot be said in a connection string.</summary>
    protected virtual ConfigurationOptions Parse(string connectionString) => ConfigurationOptions.Parse(connectionString);

    /// <summary>Makes an operator of the user that nodes are.</summary>
    protected virtual void Promote(ConfigurationOptions settings) => settings.AllowAdmin = true;

    private async Task<ConnectionMultiplexer> ConnectAsOperatorAsync(string connectionString)
    {
        var settings = Parse(connectionString);
        Promote(settings);
        return await ConnectionMultiplexer.ConnectAsync(settings);
    }

    private async Task<string> StartAndIdentifyAsync()
    {
        var connectionString = await StartAsync();
        _identity = await IdentifyAsync(connectionString);
        Console.WriteLine(_identity);
        return connectionString;
    }

    private async Task<string> IdentifyAsync(string connectionString)
    {
        await using var connection = await ConnectAsOperatorAsync(connectionString);
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
        Requirement.Demand(Need.ContainerEngine);
        _container = new RedisBuilder(Image).Build();
        await _container.StartAsync(TestContext.Current.CancellationToken);
        return _container.GetConnectionString();
    }

    protected override ValueTask StopAsync() => _container?.DisposeAsync() ?? ValueTask.CompletedTask;
}

/// <summary>A Garnet process.</summary>
public sealed class GarnetFixture : ServerFixture
{
    private GarnetProcess? _server;

    protected override async Task<string> StartAsync()
    {
        _server = await GarnetProcess.StartAsync();
        return _server.ConnectionString;
    }

    protected override ValueTask StopAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;
}

/// <summary>A Cluster of three masters.</summary>
public sealed class ClusterFixture : ServerFixture
{
    /// <summary>Longer than a busy machine holds a server up: nothing fails over here.</summary>
    private static readonly TimeSpan NodeTimeout = TimeSpan.FromSeconds(30);

    private RedisCluster? _cluster;

    protected override async Task<string> StartAsync()
    {
        _cluster = await RedisCluster.StartAsync(NodeTimeout);
        return _cluster.ConnectionString;
    }

    protected override ValueTask StopAsync() => _cluster?.DisposeAsync() ?? ValueTask.CompletedTask;
}

/// <summary>A master and a replica that three sentinels watch.</summary>
public sealed class SentinelFixture : ServerFixture
{
    /// <summary>Longer than a busy machine holds a server up: nothing fails over here.</summary>
    private static readonly TimeSpan DownAfter = TimeSpan.FromSeconds(30);

    private RedisSentinel? _topology;

    protected override async Task<string> StartAsync()
    {
        _topology = await RedisSentinel.StartAsync(DownAfter);
        return _topology.ConnectionString;
    }

    protected override ValueTask StopAsync() => _topology?.DisposeAsync() ?? ValueTask.CompletedTask;
}

/// <summary>
/// A redis-server on which nodes are a user with the rights that locks need and no others. The last two are for the inspector, which
/// the contract looks at as well.
/// </summary>
public sealed class AclFixture : ServerFixture
{
    private RedisProcess? _server;

    protected override async Task<string> StartAsync()
    {
        _server = await RedisProcess.StartAsync(
        [
            "--user", "default", "off",
            "--user", "operator", "on", ">operator-password", "~*", "&*", "+@all",
            "--user", "app", "on", ">app-password", "~test-*:*", "&test-*:*", .. RedisErrorClassifier.RequiredRights.Split(' '), "+scan", "+zcard",
        ]);
        return _server.ConnectionString + ",user=app,password=app-password";
    }

    protected override ValueTask StopAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;

    protected override void Promote(ConfigurationOptions settings)
    {
        base.Promote(settings);
        (settings.User, settings.Password) = ("operator", "operator-password");
    }
}

/// <summary>A redis-server that speaks TLS only, with a certificate of this run.</summary>
public sealed class TlsFixture : ServerFixture
{
    private readonly TestCertificates _certificates = new();
    private RedisProcess? _server;

    protected override async Task<string> StartAsync()
    {
        _server = await RedisProcess.StartAsync(server =>
        [
            "--port", "0", "--tls-port", $"{server.Port}", "--tls-auth-clients", "no",
            "--tls-cert-file", _certificates.WriteCertificate(server.Folder),
            "--tls-key-file", _certificates.WriteKey(server.Folder),
            "--tls-ca-cert-file", _certificates.WriteAuthority(server.Folder),
        ]);
        return _server.ConnectionString + ",ssl=true,sslHost=127.0.0.1";
    }

    protected override async ValueTask StopAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        _certificates.Dispose();
    }

    /// <summary>The machine does not know the authority; the connection trusts it and no other.</summary>
    protected override ConfigurationOptions Parse(string connectionString)
    {
        var settings = base.Parse(connectionString);
        settings.TrustIssuer(_certificates.Authority);
        return settings;
    }
}
