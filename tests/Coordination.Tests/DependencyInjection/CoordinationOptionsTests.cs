using Coordination.Stores;
using Coordination.TestKit.Nodes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Coordination.Tests.DependencyInjection;

public sealed class CoordinationOptionsTests
{
    [Fact]
    public async Task A_host_without_a_store_does_not_start_and_says_what_to_call()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddCoordination();
        using var host = builder.Build();
        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(TestContext.Current.CancellationToken));
        Assert.Contains("UseRedis", error.Message, StringComparison.Ordinal);
    }

    /// <summary>There the container is checked when it is built, and would say of each part of a node that it lacks a store.</summary>
    [Theory]
    [Failure("F86")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task In_development_too_the_first_thing_said_is_what_to_call(bool hasConsumer)
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { EnvironmentName = Environments.Development });
        builder.Logging.ClearProviders();
        builder.Services.AddCoordination();
        if (hasConsumer)
        {
            builder.Services.AddHostedService<Consumer>();
        }

        using var host = builder.Build();
        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(TestContext.Current.CancellationToken));
        Assert.StartsWith("No lock store is configured. Call UseRedis(…) or UsePostgreSql(…)", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("LeaseDuration", "00:00:00.050", "00:00:00.1000000")]
    [InlineData("LeaseDuration", "2.00:00:00", "1.00:00:00")]
    [InlineData("RenewalInterval", "00:00:14", "Lower RenewalInterval to 00:00:10.5000000 or less")]
    [InlineData("RenewalInterval", "00:00:00", "at least 00:00:00.02")]
    [InlineData("SafetyMargin", "-00:00:01", "at least 00:00:00.02")]
    [InlineData("SafetyMargin", "00:00:12", "do not fit into LeaseDuration (00:00:15)")]
    [InlineData("ClaimWindow", "00:02:00", "00:01:00")]
    [InlineData("ReleaseTimeout", "00:00:00", "00:00:00.0500000")]
    [InlineData("NodeName", "a/b", "letters, digits")]
    public async Task A_value_out_of_range_stops_the_start_and_is_named_with_its_limit(string name, string value, string expected)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection([new($"Coordination:{name}", value)]);
        builder.Services.AddCoordination().UseInMemory();
        using var host = builder.Build();
        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(TestContext.Current.CancellationToken));
        Assert.Contains(name, error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [Failure("F83")]
    [InlineData("LeaseDuration", "30", "Write 00:00:30")]
    [InlineData("RenewalInterval", "1", "Write 00:00:01")]
    [InlineData("ReleaseTimeout", "48:00:00", "Write 2.00:00:00")]
    public async Task A_duration_that_is_not_written_as_one_stops_the_start_with_how_to_write_it(string name, string value, string expected)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection([new($"Coordination:{name}", value)]);
        builder.Services.AddCoordination().UseInMemory();
        using var host = builder.Build();
        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(TestContext.Current.CancellationToken));
        Assert.Contains($"Coordination:{name} is '{value}'", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Failure("F83")]
    public async Task Keys_that_no_option_has_are_named_at_the_start_and_the_durations_in_effect_told()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders().AddFakeLogging();
        builder.Configuration.AddInMemoryCollection(
        [
            new("Coordination:LeaseDuration", "00:00:30"),
            new("Coordination:leaseduratoin", "00:00:40"),
            new("Coordination:Quarz:FireTimeRetention", "1.00:00:00"),

            // Of a package that is not in use here.
            new("Coordination:Redis:ConnectionString", "localhost"),
        ]);
        builder.Services.AddCoordination().UseInMemory();
        using var host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        var log = host.Services.FlushedLogs.GetSnapshot();
        await host.StopAsync(TestContext.Current.CancellationToken);

        var unknown = log.Where(record => record.Id.Id == 1031).Select(record => record.Message).Order(StringComparer.Ordinal).ToList();
        Assert.Equal(2, unknown.Count);
        Assert.Contains("Coordination:Quarz", unknown[0], StringComparison.Ordinal);
        Assert.Contains("Coordination:leaseduratoin", unknown[1], StringComparison.Ordinal);
        Assert.Contains("LeaseDuration, RenewalInterval", unknown[1], StringComparison.Ordinal);
        var durations = Assert.Single(log, record => record.Id.Id == 1030);
        Assert.Equal(LogLevel.Information, durations.Level);
        Assert.Contains("LeaseDuration 00:00:30, RenewalInterval 00:00:10, SafetyMargin 00:00:06, ClaimWindow 00:00:02, ReleaseTimeout 00:00:03", durations.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Promise("G13")]
    [Failure("F70")]
    public async Task The_application_is_the_one_that_is_set_or_the_hosts_or_else_the_program()
    {
        Assert.Equal("shop", await NameAsync(new() { ApplicationName = "shop" }, null));
        Assert.Equal("warehouse", await NameAsync(new() { ApplicationName = "shop" }, "warehouse"));
        await using var services = new ServiceCollection().AddCoordination().UseInMemory().Services.BuildServiceProvider();
        Assert.Equal(System.Reflection.Assembly.GetEntryAssembly()!.GetName().Name, services.GetRequiredService<IOptions<CoordinationOptions>>().Value.ApplicationName);
        await Assert.ThrowsAsync<OptionsValidationException>(() => NameAsync(new(), " "));

        static async Task<string?> NameAsync(HostApplicationBuilderSettings settings, string? configured)
        {
            var builder = Host.CreateApplicationBuilder(settings);
            builder.Logging.ClearProviders();
            if (configured is not null)
            {
                builder.Configuration.AddInMemoryCollection([new("Coordination:ApplicationName", configured)]);
            }

            builder.Services.AddCoordination().UseInMemory();
            using var host = builder.Build();
            await host.StartAsync(TestContext.Current.CancellationToken);
            await host.StopAsync(TestContext.Current.CancellationToken);
            return host.Services.GetRequiredService<IOptions<CoordinationOptions>>().Value.ApplicationName;
        }
    }

    [Theory]
    [InlineData(nameof(CoordinationOptions.ApplicationName), "Coordination:ApplicationName has U+D83D behind 'shop 🔒', which is half a surrogate pair")]
    [InlineData(nameof(CoordinationOptions.NodeName), "letters, digits, dots, dashes and underscores")]
    public async Task A_name_with_half_a_surrogate_pair_stops_the_start(string name, string expected)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection([new($"Coordination:{name}", "shop 🔒\ud83d")]);
        builder.Services.AddCoordination().UseInMemory();
        using var host = builder.Build();

        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(TestContext.Current.CancellationToken));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_come_from_the_configuration_and_code_wins_over_them()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection([new("Coordination:LeaseDuration", "00:00:30"), new("Coordination:ClaimWindow", "00:00:05")]);
        builder.Services.AddCoordination(options => options.ClaimWindow = TimeSpan.FromSeconds(1)).UseInMemory();
        using var host = builder.Build();
        var options = host.Services.GetRequiredService<IOptions<CoordinationOptions>>().Value;
        Assert.Equal(TimeSpan.FromSeconds(30), options.LeaseDuration);
        Assert.Equal(TimeSpan.FromSeconds(1), options.ClaimWindow);
    }

    [Fact]
    public async Task Several_registrations_make_one_node()
    {
        var services = new ServiceCollection();
        services.AddCoordination().UseInMemory();
        services.AddCoordination(options => options.NodeName = "a");
        await using var provider = services.BuildServiceProvider();
        Assert.Single(provider.GetServices<ILockProvider>());
        Assert.Single(provider.GetServices<ILockStore>());
        Assert.StartsWith("a-", provider.GetRequiredService<ILockProvider>().NodeId, StringComparison.Ordinal);
    }

    private sealed class Consumer(ILockProvider locks, ILockInspector inspector) : BackgroundService
    {
        protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.FromResult((locks, inspector));
    }
}
