using System.Net;
using System.Net.Sockets;
using Coordination.Testing.EmbeddedRedis;
using Coordination.TestKit.Nodes;
using Coordination.TestKit.Servers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Coordination.Redis.Tests.Probing;

/// <summary>A host that is told to stop while it starts, as by SIGTERM, stops in order: its run does not end by an exception.</summary>
public sealed class CancelledStartTests
{
    private const int CancelledLine = 1033;
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Failure("F88")]
    public async Task A_stop_while_a_server_that_hangs_is_examined_ends_the_run_with_one_line()
    {
        using var listener = new TcpListener(IPAddress.Loopback, FreePort.Take());
        listener.Start();
        using var host = Build(((IPEndPoint)listener.LocalEndpoint).Port);
        var (logs, lifetime) = (host.Services.FlushedLogs, host.Services.GetRequiredService<IHostApplicationLifetime>());
        var run = host.RunAsync(Token);

        // The connection is made, and nothing replies.
        using var connection = await listener.AcceptTcpClientAsync(Token).AsTask().WaitAsync(Bound, Token);
        Assert.False(run.IsCompleted);
        lifetime.StopApplication();

        await run.WaitAsync(Bound, Token);
        AssertOneLine(logs.GetSnapshot());
    }

    [Fact]
    [Failure("F88")]
    public async Task A_stop_before_a_server_that_refuses_is_examined_ends_the_run_with_one_line()
    {
        using var host = Build(FreePort.Take(), services => services.AddHostedService<StopsWhileStarting>());
        var logs = host.Services.FlushedLogs;

        await host.RunAsync(Token).WaitAsync(Bound, Token);
        AssertOneLine(logs.GetSnapshot());
    }

    [Fact]
    [Failure("F88")]
    [Needs(Need.RedisServer)]
    public async Task A_stop_before_a_healthy_server_is_examined_ends_the_run_with_one_line()
    {
        await using var server = await RedisProcess.StartAsync();
        using var host = Build(server.Port, services => services.AddHostedService<StopsWhileStarting>());
        var logs = host.Services.FlushedLogs;

        await host.RunAsync(Token).WaitAsync(Bound, Token);
        AssertOneLine(logs.GetSnapshot());
    }

    /// <summary>A host that is not told to stop must not start as if nothing had been: who cancels its start is told that it was.</summary>
    [Theory]
    [Failure("F88")]
    [InlineData("by HostOptions.StartupTimeout")]
    [InlineData("by the caller")]
    public async Task A_start_that_is_cancelled_otherwise_does_not_go_on(string how)
    {
        using var listener = new TcpListener(IPAddress.Loopback, FreePort.Take());
        listener.Start();
        using var cancellation = new CancellationTokenSource();
        using var host = Build(FreePort.Local(((IPEndPoint)listener.LocalEndpoint).Port) + ",ssl=true,connectTimeout=60000", services =>
        {
            if (how != "by the caller")
            {
                services.Configure<HostOptions>(o => o.StartupTimeout = TimeSpan.FromSeconds(3));
            }
        });
        var start = host.StartAsync(cancellation.Token);
        using var connection = await listener.AcceptTcpClientAsync(Token).AsTask().WaitAsync(Bound, Token);
        if (how == "by the caller")
        {
            await cancellation.CancelAsync();
        }

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => start.WaitAsync(Bound, Token));
        Assert.False(host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStarted.IsCancellationRequested);
        Assert.Single(host.Services.FlushedLogs.GetSnapshot(), line => line.Id.Id == CancelledLine);
    }

    /// <summary>It throws what a web server does that is told to stop before it listens, and would end the process with an error.</summary>
    [Fact]
    [Failure("F88")]
    public async Task A_web_server_listens_before_the_server_is_examined()
    {
        using var listener = new TcpListener(IPAddress.Loopback, FreePort.Take());
        listener.Start();
        using var host = Build(((IPEndPoint)listener.LocalEndpoint).Port, services => services.AddHostedService<WebServer>());
        var (logs, lifetime) = (host.Services.FlushedLogs, host.Services.GetRequiredService<IHostApplicationLifetime>());
        var run = host.RunAsync(Token);
        using var connection = await listener.AcceptTcpClientAsync(Token).AsTask().WaitAsync(Bound, Token);

        lifetime.StopApplication();

        await run.WaitAsync(Bound, Token);
        AssertOneLine(logs.GetSnapshot());
    }

    [Fact]
    [Promise("G1")]
    public async Task No_service_contends_where_the_server_cannot_keep_locks()
    {
        await using var server = await EmbeddedServer.StartAsync(new EmbeddedServerOptions { LuaTransactionMode = false }, Token);
        using var host = Build(server.ConnectionString);

        var refusal = await Assert.ThrowsAsync<LockStoreException>(() => host.StartAsync(Token).WaitAsync(Bound, Token));

        Assert.False(refusal.IsTransient);
        Assert.False(host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStarted.IsCancellationRequested);
        Assert.DoesNotContain(host.Services.FlushedLogs.GetSnapshot(), line => line.Id.Id is >= 1200 and < 1300);
    }

    [Fact]
    [Failure("F83")]
    public async Task Settings_that_are_wrong_fail_the_start_before_a_service_starts()
    {
        var services = new List<string>();
        using var host = Build(FreePort.Take(), before => before.AddHostedService(_ => new NotedService(services)).Configure<RedisStoreOptions>(o => o.KeyPrefix = "{}"));

        await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(Token).WaitAsync(Bound, Token));

        Assert.Empty(services);
    }

    private static void AssertOneLine(IReadOnlyList<Microsoft.Extensions.Logging.Testing.FakeLogRecord> lines)
    {
        Assert.Equal(LogLevel.Information, Assert.Single(lines, line => line.Id.Id == CancelledLine).Level);
        Assert.DoesNotContain(lines, line => line.Level >= LogLevel.Warning);
    }

    private static IHost Build(int port, Action<IServiceCollection>? before = null) => Build(FreePort.Local(port), before);

    private static IHost Build(string server, Action<IServiceCollection>? before = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.AddFakeLogging();
        before?.Invoke(builder.Services);
        // On a busy machine a server that replies late would be taken for one that is away, and does not fail the start.
        builder.Services.AddCoordination(options => options.LeaseDuration = TimeSpan.FromMinutes(5)).UseRedis(server, options => options.CommandTimeout = TimeSpan.FromSeconds(20));
        builder.Services.AddExclusiveBackgroundService<Idle>();
        return builder.Build();
    }

    private sealed class StopsWhileStarting(IHostApplicationLifetime lifetime) : IHostedLifecycleService
    {
        public Task StartingAsync(CancellationToken cancellationToken)
        {
            lifetime.StopApplication();
            return Task.CompletedTask;
        }

        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    /// <summary>Listens with the token of the start, as Kestrel does.</summary>
    private sealed class WebServer : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => cancellationToken.IsCancellationRequested ? Task.FromCanceled(cancellationToken) : Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private sealed class NotedService(List<string> started) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            started.Add(nameof(StartAsync));
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private sealed class Idle : ExclusiveBackgroundService
    {
        protected override Task ExecuteExclusiveAsync(ExclusiveTerm term, CancellationToken stoppingToken) => Task.Delay(Timeout.Infinite, stoppingToken);
    }
}
