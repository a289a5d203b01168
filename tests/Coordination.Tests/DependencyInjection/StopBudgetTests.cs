using Coordination.DependencyInjection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Options;

namespace Coordination.Tests.DependencyInjection;

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
        Assert.Contains(Lines(host), line => line is { Level: LogLevel.Information, Id.Id: 1040 });
        Assert.DoesNotContain(Lines(host), line => line.Id.Id == 1041);
    }

    [Fact]
    [Failure("F87")]
    public async Task What_was_chosen_stays_and_a_line_at_the_start_says_that_it_does_not_fit()
    {
        using var host = await StartAsync(TimeSpan.FromSeconds(30), shutdownTimeout: TimeSpan.FromSeconds(40));

        Assert.Equal(TimeSpan.FromSeconds(40), ShutdownTimeout(host));
        var line = Assert.Single(Lines(host), line => line.Id.Id == 1041);
        Assert.Equal(LogLevel.Warning, line.Level);
        Assert.Contains("may take 00:00:45", line.Message, StringComparison.Ordinal);
        Assert.Contains("Set HostOptions.ShutdownTimeout to 00:00:25 or less", line.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Failure("F87")]
    public async Task A_host_that_waits_for_its_services_without_an_end_fits_nowhere()
    {
        using var host = await StartAsync(TimeSpan.FromSeconds(30), Timeout.InfiniteTimeSpan);

        Assert.Contains("may take any time", Assert.Single(Lines(host), line => line.Id.Id == 1041).Message, StringComparison.Ordinal);
    }

    [Fact]
    [Failure("F84", "F87")]
    public async Task The_releases_of_all_nodes_count_and_any_of_them_may_know_the_platform()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.AddFakeLogging();
        builder.Services.AddCoordination("billing", options => options.ReleaseTimeout = TimeSpan.FromSeconds(5)).UseInMemory();
        builder.Services.AddCoordination("stock", options => options.TerminationGracePeriod = TimeSpan.FromSeconds(30)).UseInMemory();
        builder.Services.AddCoordination("stock");
        using var host = builder.Build();
        await host.StartAsync(Token);

        Assert.Equal(TimeSpan.FromSeconds(30 - 3 - 5 - 2), ShutdownTimeout(host));
    }

    [Fact]
    [Failure("F87")]
    public async Task What_goes_on_after_the_services_counts_once_and_is_named()
    {
        using var host = await StartAsync(TimeSpan.FromSeconds(30), shutdownTimeout: TimeSpan.FromSeconds(25), services => services
            .AddCoordinationStopTime("the last jobs", TimeSpan.FromSeconds(4))
            .AddCoordinationStopTime("the last jobs", TimeSpan.FromSeconds(4)));

        var line = Assert.Single(Lines(host), line => line.Id.Id == 1041);
        Assert.Contains("may take 00:00:34 (HostOptions.ShutdownTimeout 00:00:25, then the last jobs 00:00:04, Coordination:ReleaseTimeout 00:00:03)", line.Message, StringComparison.Ordinal);
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
        Assert.DoesNotContain(Lines(host), line => line.Id.Id is 1040 or 1041);
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

    private static async Task<IHost> StartAsync(TimeSpan? grace, TimeSpan? shutdownTimeout, Action<IServiceCollection>? more = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.AddFakeLogging();
        builder.Services.AddCoordination(options => options.TerminationGracePeriod = grace).UseInMemory();
        more?.Invoke(builder.Services);
        if (shutdownTimeout is { } chosen)
        {
            builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = chosen);
        }

        var host = builder.Build();
        await host.StartAsync(Token);
        return host;
    }
}
