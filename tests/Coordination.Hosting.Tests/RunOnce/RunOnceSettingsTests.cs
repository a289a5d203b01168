using Coordination.TestKit.Nodes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Coordination.Hosting.Tests.RunOnce;

/// <summary>Where the settings of work that is run once come from, which win, and what is said of them at the start.</summary>
public sealed class RunOnceSettingsTests
{
    private const int DurationsLine = 1030;
    private const int UnknownKeyLine = 1031;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Failure("F68")]
    public void Options_are_bound_from_the_section_of_the_name_and_code_wins()
    {
        using var host = Build(
            services => services.Configure<RunOnceOptions>(o => o.OverdueAfter = TimeSpan.FromSeconds(3)).AddRunOnce("schema", DoNothing, o => o.OnOverdue = OverdueAction.Warn).AddRunOnce("fill", DoNothing),
            ("schema:RememberFor", "30.00:00:00"),
            ("schema:OnOverdue", "EndProcess"),
            ("schema:LockOptions:LeaseDuration", "00:00:30"),
            ("fill:OnOverdue", "StopHost"));

        var schema = OptionsOf(host, "schema");
        Assert.Equal(
            (TimeSpan.FromDays(30), TimeSpan.FromSeconds(3), OverdueAction.Warn, new LockOptions { LeaseDuration = TimeSpan.FromSeconds(30) }),
            (schema.RememberFor, schema.OverdueAfter, schema.OnOverdue, schema.LockOptions));
        Assert.Equal((TimeSpan.FromDays(366), OverdueAction.StopHost, null), (OptionsOf(host, "fill").RememberFor, OptionsOf(host, "fill").OnOverdue, OptionsOf(host, "fill").LockOptions));
    }

    [Theory]
    [Failure("F83")]
    [InlineData("RememberFor", "30", "Coordination:RunOnce:schema:RememberFor")]
    [InlineData("LockOptions:LeaseDuration", "48:00:00", "Coordination:RunOnce:schema:LockOptions:LeaseDuration")]
    [InlineData("RememberFor", "400.00:00:00", "run-once/schema: RememberFor is 400.00:00:00")]
    [InlineData("LockOptions:MaxHold", "00:01:00", "run-once/schema: LockOptions.MaxHold is 00:01:00")]
    [InlineData("OverdueWarningInterval", "00:00:00", "run-once/schema: OverdueWarningInterval is 00:00:00")]
    public async Task A_setting_that_cannot_be_stops_the_start_before_the_work_and_is_named(string key, string value, string named)
    {
        var runs = 0;
        using var host = Build(services => services.AddRunOnce("schema", (_, _) => Task.FromResult(runs++)), ($"schema:{key}", value));

        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(Token));

        Assert.Contains(named, error.Message, StringComparison.Ordinal);
        Assert.Equal(0, runs);
    }

    [Fact]
    [Failure("F83")]
    public async Task Misspelt_keys_are_named_at_the_start_and_the_durations_in_effect_told()
    {
        using var host = Build(
            services => services.AddRunOnce("schema", DoNothing).AddRunOnce("fill", DoNothing),
            ("schema:RemeberFor", "1.00:00:00"),
            ("fill:RememberFor", "30.00:00:00"),
            ("fill:LockOptions:LeaseDurations", "00:00:30"),
            ("shema:RememberFor", "1.00:00:00"));
        await host.StartAsync(Token);

        var unknown = host.Services.FlushedLogs.GetSnapshot().Where(record => record.Id.Id == UnknownKeyLine).Select(record => record.Message).ToList();
        foreach (var key in (string[])["schema:RemeberFor", "fill:LockOptions:LeaseDurations", "shema"])
        {
            Assert.Single(unknown, line => line.StartsWith($"The configuration has Coordination:RunOnce:{key},", StringComparison.Ordinal));
        }

        Assert.Equal(3, unknown.Count);
        Assert.Contains(unknown, line => line.EndsWith("What may stand there: fill, schema.", StringComparison.Ordinal));
        var durations = Assert.Single(host.Services.FlushedLogs.GetSnapshot(), record => record.Id.Id == DurationsLine).Message;
        Assert.Contains("run-once/fill:RememberFor 30.00:00:00", durations, StringComparison.Ordinal);
        await host.StopAsync(Token);
    }

    [Fact]
    [Failure("F84")]
    public async Task A_container_that_has_nodes_with_names_alone_is_told_what_to_call()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddCoordination("billing").UseInMemory();
        builder.Services.AddRunOnce("schema", DoNothing);
        using var host = builder.Build();

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => host.StartAsync(Token));

        Assert.Equal(
            "run-once/schema has a lock of the node without a name, which is not registered: call services.AddCoordination() and choose its store, as by UseRedis(…) or UsePostgreSql(…), or set Node to the name of one that is.",
            error.Message);
    }

    private static Task DoNothing(RunOnceContext context, CancellationToken cancellationToken) => Task.CompletedTask;

    private static RunOnceOptions OptionsOf(IHost host, string name) => host.Services.GetRequiredService<IOptionsMonitor<RunOnceOptions>>().Get($"run-once/{name}");

    private static IHost Build(Action<IServiceCollection> configure, params (string Key, string Value)[] settings)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create($"Coordination:RunOnce:{setting.Key}", (string?)setting.Value)));
        builder.Logging.AddFakeLogging();
        builder.Services.AddCoordination().UseInMemory();
        configure(builder.Services);
        return builder.Build();
    }
}
