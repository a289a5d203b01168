using Coordination.TestKit.Network;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using StackExchange.Redis;

namespace Coordination.Hosting.Tests.Nodes;

/// <summary>A host of its own with a <see cref="WorkingService"/>, and with a way to the server that can be cut. Its clock is the machine's.</summary>
internal sealed class RedisHost : IAsyncDisposable
{
    private readonly ChaosProxy _way;
    private readonly IHost _host;
    private bool _isStopped;
    private bool _isCut;

    private RedisHost(ChaosProxy way, IHost host, Work work)
    {
        _way = way;
        _host = host;
        Work = work;
    }

    public Work Work { get; }

    /// <summary>Whether it runs, and can ask the server.</summary>
    public bool IsUp => !_isStopped && !_isCut;

    public string NodeId => _host.Services.GetRequiredService<ILockProvider>().NodeId;

    public ILeadership Leadership => _host.Services.GetRequiredService<ILeadership<WorkingService>>();

    public NodeDrain Drain => _host.Services.GetRequiredService<NodeDrain>();

    public ILockInspector Inspector => _host.Services.GetRequiredService<ILockInspector>();

    /// <summary>Starts one whose service has so many leaders.</summary>
    public static Task<RedisHost> StartAsync(int serverPort, string prefix, TimeSpan lease, int instances, Work work) =>
        StartAsync(serverPort, prefix, lease, work, options => options.Instances = instances);

    /// <summary>Starts one.</summary>
    /// <param name="serverPort">The server's.</param>
    /// <param name="prefix">What its keys begin with.</param>
    /// <param name="lease">The lease duration.</param>
    /// <param name="work">What it does as a leader.</param>
    /// <param name="configure">How its service is set.</param>
    /// <param name="name">The node's name; null for the machine's.</param>
    public static async Task<RedisHost> StartAsync(int serverPort, string prefix, TimeSpan lease, Work work, Action<ExclusiveServiceOptions> configure, string? name = null)
    {
        var way = new ChaosProxy(serverPort);
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddSingleton(work);
        builder.Services.AddCoordination(options => (options.LeaseDuration, options.SafetyMargin, options.NodeName) = (lease, lease / 3, name ?? options.NodeName))
            .UseRedis(new ConfigurationOptions { EndPoints = { { "127.0.0.1", way.Port } } }, options => options.KeyPrefix = prefix);
        builder.Services.AddExclusiveBackgroundService<WorkingService>(configure);
        var started = new RedisHost(way, builder.Build(), work);
        try
        {
            await started._host.StartAsync(TestContext.Current.CancellationToken);
            return started;
        }
        catch
        {
            await started.DisposeAsync();
            throw;
        }
    }

    /// <summary>To the others it is as one that died.</summary>
    public void Cut()
    {
        _isCut = true;
        _way.Begin(ProxyMode.BlackHole);
    }

    public void LetPass()
    {
        _isCut = false;
        _way.End();
    }

    public Task StopAsync()
    {
        _isStopped = true;
        return _host.StopAsync(TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_isStopped)
        {
            await StopAsync();
        }

        await ((IAsyncDisposable)_host).DisposeAsync();
        await _way.DisposeAsync();
    }
}
