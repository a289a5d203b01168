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
            ("WorkingService:LockOptions:Note", "v7"),
            ("WorkingService:LockOptions:Rank", "7"),
            ("north:LockName", "by-name"),
            ("north:StopHostAfterFailures", "7"));

        var byType = host.Services.GetRequiredService<ILeadership<WorkingService>>();
        Assert.Equal(("by-type", "by-name"), (byType.LockName, host.Services.GetRequiredKeyedService<ILeadership>("north").LockName));
        var options = OptionsOf(host, typeof(WorkingService).ToString());
        Assert.Equal(
            (TimeSpan.FromHours(1), TimeSpan.FromMinutes(7), OverdueAction.StopHost, new LockOptions { LeaseDuration = TimeSpan.FromSeconds(30), AllowBarging = true, Note = "v7", Rank = 7 }),
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
    [Failure("F68")]
    public async Task A_note_with_control_characters_stops_the_start_and_is_named()
    {
        using var host = Build(AddBoth, ("WorkingService:LockOptions:Note", "v7\nfake: line"), ("north:Interval", "00:05:00"));
        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(Token));
        Assert.Contains("Note has the control character U+000A", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [Failure("F68", "F83")]
    [InlineData("Rank")]
    [InlineData("LockOptions:Rank")]
    public async Task The_rank_of_a_node_that_abstains_stops_the_start_and_is_named(string key)
    {
        using var host = Build(AddBoth, ($"WorkingService:{key}", "-9223372036854775808"), ("north:Interval", "00:05:00"));
        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(Token));
        Assert.Contains($"{key.Replace(':', '.')} is -9223372036854775808, ", error.Message, StringComparison.Ordinal);
        Assert.Contains("Set -9223372036854775807 or more.", error.Message, StringComparison.Ordinal);

        using var least = Build(AddBoth, ($"WorkingService:{key}", "-9223372036854775807"), ("north:Interval", "00:05:00"));
        Assert.NotNull(OptionsOf(least, typeof(WorkingService).ToString()));
    }

    [Theory]
    [Failure("F68")]
    [InlineData("Rank", "5")]
    [InlineData("PreferredNodes:0", "north")]
    public async Task A_preference_beside_barging_stops_the_start_and_is_named(string key, string value)
    {
        using var host = Build(AddBoth, ("WorkingService:LockOptions:AllowBarging", "true"), ($"WorkingService:{key}", value), ("north:Interval", "00:05:00"));
        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(Token));
        Assert.Contains("AllowBarging is set, and Rank or PreferredNodes too", error.Message, StringComparison.Ordinal);
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

    /// <summary>The key that was meant is missing because of it, and the start fails for that.</summary>
    [Theory]
    [Failure("F83")]
    [InlineData("Services:north:Intervall", "00:05:00")]
    [InlineData("Servises:north:Interval", "00:05:00")]
    [InlineData("RunOnce:schema:RememberFr", "00:05:00", "Services:north:Interval", "00:05:00", "RunOnce:schema:RememberFor", "00:00:01")]
    [InlineData("Services:WorkingService:MaxTrem", "00:05:00", "Services:north:Interval", "00:05:00", "Services:WorkingService:MaxTerm", "00:00:00.001")]
    [InlineData("LeaseDuratoin", "00:05:00", "Services:north:Interval", "00:05:00", "LeaseDuration", "00:00:00.001")]
    public async Task A_start_that_fails_names_the_misspelt_keys(params string[] settings)
    {
        using var host = BuildFrom(
            services =>
            {
                AddBoth(services);
                services.AddRunOnce("schema", (_, _) => Task.CompletedTask);
            },
            settings.Chunk(2).Select(pair => (pair[0], pair[1])));
        var refusal = await Record.ExceptionAsync(() => host.StartAsync(Token));
        var misspelt = settings[0].StartsWith("Servises", StringComparison.Ordinal) ? "Servises" : settings[0];
        Assert.Contains($"The configuration has Coordination:{misspelt}, and nothing reads it.", refusal?.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Failure("F83")]
    public async Task Misspelt_keys_are_named_before_a_start_fails_for_another_reason()
    {
        using var host = Build(
            services => services.AddExclusiveBackgroundService<WorkingService>("a").AddExclusiveBackgroundService<WorkingService>("b"),
            ("a:LockName", "one"),
            ("b:LockName", "one"),
            ("b:LokName", "two"));
        await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(Token));
        Assert.Contains("Coordination:Services:b:LokName", Assert.Single(host.Services.FlushedLogs.GetSnapshot(), record => record.Id.Id == UnknownKeyLine).Message, StringComparison.Ordinal);
    }

    [Fact]
    [Failure("F83")]
    public async Task All_durations_that_are_set_or_have_a_default_are_told()
    {
        using var host = Build(
            services =>
            {
                AddBoth(services);
                services.AddRunOnce("schema", (_, _) => Task.CompletedTask);
            },
            ("WorkingService:MaxTerm", "02:00:00"),
            ("WorkingService:LockOptions:LockAtLeastFor", "00:00:04"),
            ("north:Interval", "00:05:00"));
        await host.StartAsync(Token);
        var durations = Assert.Single(host.Services.FlushedLogs.GetSnapshot(), record => record.Id.Id == DurationsLine).Message;
        await host.StopAsync(Token);

        AssertTold(typeof(WorkingService).ToString(), typeof(ExclusiveServiceOptions), nameof(ExclusiveServiceOptions.OverdueAfter), nameof(ExclusiveServiceOptions.ProgressTimeout));
        AssertTold($"{typeof(Periodic.CountingService)} (north)", typeof(ExclusivePeriodicOptions), nameof(ExclusivePeriodicOptions.OverdueAfter));
        AssertTold("run-once/schema", typeof(RunOnceOptions), nameof(RunOnceOptions.OverdueAfter));
        Assert.Contains($"{typeof(WorkingService)}:LockOptions:LockAtLeastFor 00:00:04", durations, StringComparison.Ordinal);

        void AssertTold(string name, Type options, params string[] unset) => Assert.All(
            options.GetProperties().Where(property => property.PropertyType == typeof(TimeSpan) || (property.PropertyType == typeof(TimeSpan?) && !unset.Contains(property.Name))),
            property => Assert.Contains($"{name}:{property.Name} ", durations, StringComparison.Ordinal));
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

    private static IHost Build(Action<IServiceCollection> configure, params (string Key, string Value)[] settings) =>
        BuildFrom(configure, settings.DistinctBy(setting => setting.Key).Select(setting => ($"Services:{setting.Key}", setting.Value)));

    private static IHost BuildFrom(Action<IServiceCollection> configure, IEnumerable<(string Key, string Value)> settings)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create($"Coordination:{setting.Key}", (string?)setting.Value)));
        builder.Logging.AddFakeLogging();
        builder.Services.AddSingleton(new Work());
        builder.Services.AddCoordination().UseInMemory();
        configure(builder.Services);
        return builder.Build();
    }
}
