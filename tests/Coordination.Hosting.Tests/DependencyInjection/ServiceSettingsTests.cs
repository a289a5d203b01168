using Coordination.Hosting.Services;
using Coordination.Hosting.Tests.Nodes;
using Coordination.TestKit.Nodes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Coordination.Hosting.Tests.DependencyInjection;

/// <summary>F68: where the settings of services come from, and which win.</summary>
public sealed class ServiceSettingsTests
{
    private const int DurationsLine = 1030;
    private const int UnknownKeyLine = 1031;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Failure("F68")]
    public void Options_are_bound_from_the_section_of_the_name_or_of_the_type_and_code_wins()
    {
        using var host = Build(
            services => services
                .AddExclusiveBackgroundService<WorkingService>(o => o.MaxRestartDelay = TimeSpan.FromMinutes(7))
                .AddExclusiveBackgroundService<WorkingService>("north"),
            ("WorkingService:LockName", "by-type"),
            ("WorkingService:MaxTerm", "01:00:00"),
            ("WorkingService:MaxRestartDelay", "00:05:00"),
            ("WorkingService:OnOverdue", "StopHost"),
            ("WorkingService:LockOptions:LeaseDuration", "00:00:30"),
            ("WorkingService:LockOptions:AllowBarging", "true"),
            ("north:LockName", "by-name"),
            ("north:StopHostAfterFailures", "7"));

        var byType = host.Services.GetRequiredService<ILeadership<WorkingService>>();
        Assert.Equal(("by-type", "by-name"), (byType.LockName, host.Services.GetRequiredKeyedService<ILeadership>("north").LockName));
        var options = OptionsOf(host, typeof(WorkingService).ToString());
        Assert.Equal(
            (TimeSpan.FromHours(1), TimeSpan.FromMinutes(7), OverdueAction.StopHost, new LockOptions { LeaseDuration = TimeSpan.FromSeconds(30), AllowBarging = true }),
            (options.MaxTerm, options.MaxRestartDelay, options.OnOverdue, options.LockOptions));
        Assert.Equal(7, OptionsOf(host, $"{typeof(WorkingService)} (north)").StopHostAfterFailures);
    }

    [Theory]
    [Failure("F68")]
    [InlineData(true)]
    [InlineData(false)]
    public void What_is_set_for_all_services_counts_for_each_and_wins_over_the_configuration(bool isFirst)
    {
        var count = 0;
        using var host = Build(
            services =>
            {
                if (!isFirst)
                {
                    services.AddExclusiveBackgroundService<WorkingService>(o => o.UnhealthyAfterFailures = 9);
                }

                services.Configure<ExclusiveServiceOptions>(o => o.DegradedAfterFailures = 5);
                services.ConfigureAll<ExclusiveServiceOptions>(o => o.StopHostAfterFailures = 20 + count++);
                services.AddOptions<ExclusiveServiceOptions>().Configure<TimeProvider>((o, _) => o.OverdueAfter = TimeSpan.FromSeconds(3));
                services.PostConfigure<ExclusiveServiceOptions>(o => o.CompletionPause = TimeSpan.FromSeconds(8));
                services.Configure<ExclusiveServiceOptions>("another", o => o.DegradedAfterFailures = 1);
                if (isFirst)
                {
                    services.AddExclusiveBackgroundService<WorkingService>(o => o.UnhealthyAfterFailures = 9);
                }
            },
            ("WorkingService:DegradedAfterFailures", "4"),
            ("WorkingService:StopHostAfterFailures", "4"),
            ("WorkingService:UnhealthyAfterFailures", "4"),
            ("WorkingService:MaxTerm", "01:00:00"));

        var options = OptionsOf(host, typeof(WorkingService).ToString());
        Assert.Equal((5, 9, 20), (options.DegradedAfterFailures, options.UnhealthyAfterFailures, options.StopHostAfterFailures));
        Assert.Equal((TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(8), TimeSpan.FromHours(1)), (options.OverdueAfter, options.CompletionPause, options.MaxTerm));
    }

    [Theory]
    [Failure("F68", "F83")]
    [InlineData("WorkingService:MaxTerm", "30")]
    [InlineData("WorkingService:LockOptions:LeaseDuration", "48:00:00")]
    [InlineData("north:Interval", "5")]
    public async Task A_duration_that_is_not_written_as_one_stops_the_start_and_is_named(string key, string value)
    {
        using var host = Build(AddBoth, (key, value), ("north:Interval", key == "north:Interval" ? value : "00:05:00"));
        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(Token));
        Assert.Contains($"Coordination:Services:{key}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Failure("F68", "F83")]
    public async Task Misspelt_keys_are_named_at_the_start_and_the_durations_in_effect_told()
    {
        using var host = Build(
            AddBoth,
            ("WorkingService:MaxTrem", "01:00:00"),
            ("WorkingService:MaxTerm", "02:00:00"),
            ("WorkingService:LockOptions:LeaseDurations", "00:00:30"),
            ("WorkingServise:MaxTerm", "01:00:00"),
            ("north:Interval", "00:05:00"),
            ("north:Jiter", "00:00:05"));
        await host.StartAsync(Token);
        var unknown = host.Services.FlushedLogs.GetSnapshot().Where(record => record.Id.Id == UnknownKeyLine).Select(record => record.Message).ToList();
        foreach (var key in (string[])["WorkingService:MaxTrem", "WorkingService:LockOptions:LeaseDurations", "WorkingServise", "north:Jiter"])
        {
            Assert.Single(unknown, line => line.StartsWith($"The configuration has Coordination:Services:{key},", StringComparison.Ordinal));
        }

        Assert.Equal(4, unknown.Count);
        Assert.Contains(unknown, line => line.EndsWith("What may stand there: WorkingService, north.", StringComparison.Ordinal));
        var durations = Assert.Single(host.Services.FlushedLogs.GetSnapshot(), record => record.Id.Id == DurationsLine).Message;
        Assert.Contains($"{typeof(WorkingService)}:MaxTerm 02:00:00", durations, StringComparison.Ordinal);
        Assert.Contains($"{typeof(Periodic.CountingService)} (north):Interval 00:05:00", durations, StringComparison.Ordinal);
        await host.StopAsync(Token);
    }

    [Fact]
    [Failure("F68")]
    public void All_that_a_locks_options_have_can_be_configured() => Assert.Equal(
        typeof(LockOptions).GetProperties().Select(property => $"{property.PropertyType} {property.Name}").Order(StringComparer.Ordinal),
        typeof(LockSettings).GetProperties().Select(property => $"{property.PropertyType} {property.Name}").Order(StringComparer.Ordinal));

    private static void AddBoth(IServiceCollection services) => services
        .AddSingleton<Periodic.Runs>()
        .AddExclusiveBackgroundService<WorkingService>()
        .AddExclusivePeriodicService<Periodic.CountingService>("north");

    private static ExclusiveServiceOptions OptionsOf(IHost host, string name) => host.Services.GetRequiredService<IOptionsMonitor<ExclusiveServiceOptions>>().Get(name);

    private static IHost Build(Action<IServiceCollection> configure, params (string Key, string Value)[] settings)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(settings.DistinctBy(setting => setting.Key).Select(setting => KeyValuePair.Create($"Coordination:Services:{setting.Key}", (string?)setting.Value)));
        builder.Logging.AddFakeLogging();
        builder.Services.AddSingleton(new Work());
        builder.Services.AddCoordination().UseInMemory();
        configure(builder.Services);
        return builder.Build();
    }
}
