using Coordination.Hosting.Stops;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Options;

namespace Coordination.Hosting.Tests.Stops;

/// <summary>F87: a host that is killed before it has released its locks leaves the standby waiting for the lease.</summary>
public sealed class StopBudgetTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Failure("F87")]
    public async Task What_nobody_chose_fits_into_the_time_that_the_platform_gives()
    {
        using var host = await StartAsync(TimeSpan.FromSeconds(30), shutdownTimeout: null);

        Assert.Equal(TimeSpan.FromSeconds(25), ShutdownTimeout(host));
        Assert.Contains(Lines(host), line => line is { Level: LogLevel.Information, Id.Id: 1290 });
        Assert.DoesNotContain(Lines(host), line => line.Id.Id == 1291);
    }

    [Fact]
    [Failure("F87")]
    public async Task What_was_chosen_stays_and_a_line_at_the_start_says_that_it_does_not_fit()
    {
        using var host = await StartAsync(TimeSpan.FromSeconds(30), shutdownTimeout: TimeSpan.FromSeconds(40));

        Assert.Equal(TimeSpan.FromSeconds(40), ShutdownTimeout(host));
        var line = Assert.Single(Lines(host), line => line.Id.Id == 1291);
        Assert.Equal(LogLevel.Warning, line.Level);
        Assert.Contains("may take 00:00:45", line.Message, StringComparison.Ordinal);
        Assert.Contains("Set HostOptions.ShutdownTimeout to 00:00:25 or less", line.Message, StringComparison.Ordinal);
    }

    [Theory]
    [Failure("F87")]
    [InlineData(60, null, 30)]
    [InlineData(60, 50, 50)]
    [InlineData(null, null, 30)]
    [InlineData(null, 300, 300)]
    public async Task What_fits_and_where_nobody_knows_nothing_changes_and_nothing_is_said(int? grace, int? shutdownTimeout, int expected)
    {
        using var host = await StartAsync(Seconds(grace), Seconds(shutdownTimeout));

        Assert.Equal(TimeSpan.FromSeconds(expected), ShutdownTimeout(host));
        Assert.DoesNotContain(Lines(host), line => line.Id.Id is 1290 or 1291);
    }

    [Theory]
    [Failure("F87")]
    [InlineData(null, true, 30)]
    [InlineData(60, true, 60)]
    [InlineData(null, false, null)]
    public void The_time_is_that_which_is_set_or_that_of_Kubernetes(int? configured, bool isInKubernetes, int? expected) =>
        Assert.Equal(Seconds(expected), StopBudget.GraceOf(Seconds(configured), isInKubernetes));

    private static TimeSpan? Seconds(int? seconds) => seconds is { } count ? TimeSpan.FromSeconds(count) : null;

    private static TimeSpan ShutdownTimeout(IHost host) => host.Services.GetRequiredService<IOptions<HostOptions>>().Value.ShutdownTimeout;

    private static IReadOnlyList<FakeLogRecord> Lines(IHost host) => host.Services.GetFakeLogCollector().GetSnapshot();

    private static async Task<IHost> StartAsync(TimeSpan? grace, TimeSpan? shutdownTimeout)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.AddFakeLogging();
        builder.Services.AddCoordination(options => options.TerminationGracePeriod = grace).UseInMemory();
        builder.Services.AddExclusiveBackgroundService<Nothing>();
        if (shutdownTimeout is { } chosen)
        {
            builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = chosen);
        }

        var host = builder.Build();
        await host.StartAsync(Token);
        return host;
    }

    private sealed class Nothing : ExclusiveBackgroundService
    {
        protected override Task ExecuteExclusiveAsync(ILockLease lease, CancellationToken stoppingToken) => Task.CompletedTask;
    }
}
