using System.Net;
using System.Net.Sockets;
using Coordination.TestKit.Nodes;
using Coordination.TestKit.Servers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Coordination.Redis.Tests.Probing;

/// <summary>A host that is told to stop while it starts, as by SIGTERM, stops in order: its run does not end by an exception.</summary>
public sealed class CancelledStartTests
{
    private const int CancelledLine = 1117;
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

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
        using var host = Build(((IPEndPoint)listener.LocalEndpoint).Port, services =>
        {
            if (how != "by the caller")
            {
                services.Configure<HostOptions>(o => o.StartupTimeout = TimeSpan.FromMilliseconds(200));
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

    private static void AssertOneLine(IReadOnlyList<Microsoft.Extensions.Logging.Testing.FakeLogRecord> lines)
    {
        Assert.Equal(LogLevel.Information, Assert.Single(lines, line => line.Id.Id == CancelledLine).Level);
        Assert.DoesNotContain(lines, line => line.Level >= LogLevel.Warning);
    }

    private static IHost Build(int port, Action<IServiceCollection>? before = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.AddFakeLogging();
        before?.Invoke(builder.Services);
        builder.Services.AddCoordination().UseRedis(FreePort.Local(port));
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

    private sealed class Idle : ExclusiveBackgroundService
    {
        protected override Task ExecuteExclusiveAsync(ExclusiveTerm term, CancellationToken stoppingToken) => Task.Delay(Timeout.Infinite, stoppingToken);
    }
}
