using StackExchange.Redis;

namespace Coordination.TestKit.Servers;

/// <summary>
/// A server that the tests of a run share, started for the first test that asks for it. Where it is missing, the tests that need it
/// are left out: never does another server take its place, but in <see cref="AnyServerFixture"/>.
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
