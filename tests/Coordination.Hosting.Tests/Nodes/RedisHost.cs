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

    public ILockInspector Inspector => _host.Services.GetRequiredService<ILockInspector>();

    /// <summary>Starts one.</summary>
    public static async Task<RedisHost> StartAsync(int serverPort, string prefix, TimeSpan lease, int instances, Work work)
    {
        var way = new ChaosProxy(serverPort);
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddSingleton(work);
        builder.Services.AddCoordination(options => (options.LeaseDuration, options.SafetyMargin) = (lease, lease / 3))
            .UseRedis(new ConfigurationOptions { EndPoints = { { "127.0.0.1", way.Port } } }, options => options.KeyPrefix = prefix);
        builder.Services.AddExclusiveBackgroundService<WorkingService>(options => options.Instances = instances);
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
