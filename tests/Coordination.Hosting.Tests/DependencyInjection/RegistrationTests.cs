using System.Collections.Concurrent;
using Coordination.Hosting.Tests.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Coordination.Hosting.Tests.DependencyInjection;

/// <summary>Registering services: names, options, and what is an error at start.</summary>
public sealed class RegistrationTests
{
    [Fact]
    [Failure("F68")]
    public async Task One_type_may_be_registered_under_several_names()
    {
        await using var cluster = new Cluster();
        var seen = new ConcurrentDictionary<string, object>();
        var node = cluster.CreateNode("a", services => services
            .AddSingleton(seen)
            .AddExclusiveBackgroundService<PartitionService>("north", o => o.LockName = "partition-1")
            .AddExclusiveBackgroundService<PartitionService>("south"));
        await node.Host.StartAsync(TestContext.Current.CancellationToken);

        var south = $"Coordination.Hosting.Tests/{typeof(PartitionService)}/south";
        await Cluster.UntilAsync(() => seen.Count == 2, "both work");
        Assert.Equal([south, "partition-1"], seen.Keys.Order(StringComparer.Ordinal));
        Assert.NotSame(seen["partition-1"], seen[south]);
        Assert.True(Named(node, "partition-1").IsLeader);
        Assert.Same(Named(node, "partition-1"), Named(node, "north"));
        Assert.Same(Named(node, south), Named(node, "south"));
        Assert.Same(Named(node, south), node.Host.Services.GetRequiredKeyedService<ILeadership<PartitionService>>("south"));
        Assert.Equal([Named(node, "north"), Named(node, "south")], node.Host.Services.GetRequiredService<IEnumerable<ILeadership>>());
        var ambiguous = Assert.Throws<InvalidOperationException>(() => node.Host.Services.GetRequiredService<ILeadership<PartitionService>>());
        Assert.Contains($"'partition-1', '{south}'", ambiguous.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Failure("F68")]
    public async Task The_registration_that_has_no_name_is_the_one_that_its_type_stands_for()
    {
        await using var cluster = new Cluster();
        var node = cluster.CreateNode("a", services => services
            .AddSingleton(new ConcurrentDictionary<string, object>())
            .AddExclusiveBackgroundService<PartitionService>("north")
            .AddExclusiveBackgroundService<PartitionService>(o => o.LockName = "all"));
        Assert.Equal("all", node.Host.Services.GetRequiredService<ILeadership<PartitionService>>().LockName);
    }

    [Fact]
    [Failure("F68")]
    public async Task A_name_that_services_of_two_types_have_is_no_key_and_says_what_is_one()
    {
        await using var cluster = new Cluster();
        var node = cluster.CreateNode("a", services => services
            .AddSingleton(new ConcurrentDictionary<string, object>())
            .AddExclusiveBackgroundService<PartitionService>("north", o => o.LockName = "one")
            .AddExclusiveBackgroundService<NamedService>("north"));
        var ambiguous = Assert.Throws<InvalidOperationException>(() => Named(node, "north"));
        Assert.Contains("'one', 'by-attribute/north'", ambiguous.Message, StringComparison.Ordinal);
        Assert.Equal("by-attribute/north", node.Host.Services.GetRequiredKeyedService<ILeadership<NamedService>>("north").LockName);
    }

    [Fact]
    [Promise("G13")]
    [Failure("F70")]
    public async Task The_lock_is_named_by_application_and_type_or_by_attribute_or_options()
    {
        await using var cluster = new Cluster();
        var node = cluster.CreateNode("a", services => services
            .AddSingleton(new ConcurrentDictionary<string, object>())
            .AddExclusiveBackgroundService<PartitionService>()
            .AddExclusiveBackgroundService<NamedService>()
            .AddExclusiveBackgroundService<GenericService<string>>()
            .AddExclusiveBackgroundService<NamedService>("again", o => o.LockName = "by-options"));
        await node.Host.StartAsync(TestContext.Current.CancellationToken);

        foreach (var name in (string[])[
            "Coordination.Hosting.Tests/Coordination.Hosting.Tests.DependencyInjection.RegistrationTests+PartitionService",
            "by-attribute",
            "Coordination.Hosting.Tests/Coordination.Hosting.Tests.DependencyInjection.RegistrationTests+GenericService`1[System.String]",
            "by-options"])
        {
            var leadership = Named(node, name);
            Assert.Equal(name, leadership.LockName);
            await Cluster.UntilAsync(() => leadership.IsLeader, $"'{name}' is led");
        }

        Assert.Throws<InvalidOperationException>(() => Named(node, "nobody's"));
    }

    [Fact]
    [Promise("G13")]
    [Failure("F70")]
    public async Task Two_applications_on_one_store_lead_each_with_the_same_type_of_service()
    {
        await using var cluster = new Cluster();
        var seen = new ConcurrentDictionary<string, object>();
        foreach (var application in (string[])["shop", "warehouse"])
        {
            var node = cluster.CreateNode(application, services => services
                .AddSingleton(seen)
                .Configure<CoordinationOptions>(o => o.ApplicationName = application)
                .AddExclusiveBackgroundService<PartitionService>());
            await node.Host.StartAsync(TestContext.Current.CancellationToken);
        }

        await Cluster.UntilAsync(() => seen.Count == 2, "both work");
        Assert.Equal([$"shop/{typeof(PartitionService)}", $"warehouse/{typeof(PartitionService)}"], seen.Keys.Order());
    }

    [Fact]
    [Failure("F70")]
    public async Task An_application_without_a_name_does_not_start_with_a_service_whose_lock_has_none()
    {
        var error = await FailsToStartAsync<OptionsValidationException>(services => services
            .Configure<CoordinationOptions>(o => o.ApplicationName = null)
            .AddExclusiveBackgroundService<PartitionService>());
        Assert.Contains("Coordination:ApplicationName", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_partitioned_service_whose_partitions_nothing_names_does_not_start()
    {
        var error = await FailsToStartAsync<OptionsValidationException>(static services => services.AddPartitionedBackgroundService<NamelessService>());
        Assert.EndsWith(
            $": Partitions is not set, and {typeof(NamelessService)} does not override GetPartitionsAsync. Set Partitions to how many there are, such as 64, or override GetPartitionsAsync to name them.",
            error.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_services_with_one_lock_name_are_an_error_at_start_that_names_both()
    {
        var error = await FailsToStartAsync<OptionsValidationException>(services => services
            .AddSingleton(new ConcurrentDictionary<string, object>())
            .AddExclusiveBackgroundService<PartitionService>(o => o.LockName = "by-attribute")
            .AddExclusiveBackgroundService<NamedService>());
        Assert.Contains(typeof(PartitionService).ToString(), error.Message, StringComparison.Ordinal);
        Assert.Contains(typeof(NamedService).ToString(), error.Message, StringComparison.Ordinal);
        Assert.Contains("'by-attribute'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Failure("F68")]
    public void One_type_registered_twice_under_one_name_or_none_is_an_error_with_what_to_do()
    {
        var services = new ServiceCollection()
            .AddExclusiveBackgroundService<NamedService>()
            .AddExclusiveBackgroundService<NamedService>("north");
        var none = Assert.Throws<InvalidOperationException>(() => services.AddExclusiveBackgroundService<NamedService>(o => o.LockName = "other"));
        Assert.Contains("give each registration a name", none.Message, StringComparison.Ordinal);
        var one = Assert.Throws<InvalidOperationException>(() => services.AddExclusiveBackgroundService<NamedService>("north", o => o.LockName = "other"));
        Assert.Contains("'north'", one.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => services.AddExclusiveBackgroundService<NamedService>("north:1"));
        Assert.Throws<ArgumentException>(() => services.AddExclusiveBackgroundService<NamedService>(" "));
    }

    [Theory]
    [InlineData("LockName", "")]
    [InlineData("LockName", "with{braces}")]
    [InlineData("AfterCompletion", "7")]
    [InlineData("CompletionPause", "00:00:00")]
    [InlineData("MinRestartDelay", "-00:00:01")]
    [InlineData("MinRestartDelay", "00:02:00")]
    [InlineData("MaxRestartDelay", "2.00:00:00")]
    [InlineData("RestartDelayResetAfter", "00:00:00")]
    [InlineData("OverdueAfter", "-00:00:01")]
    [InlineData("OverdueWarningInterval", "00:00:00")]
    [InlineData("LeaseDuration", "00:00:00.001")]
    [InlineData("MaxTerm", "00:00:00")]
    [InlineData("OnOverdue", "7")]
    [InlineData("DegradedAfterFailures", "0")]
    [InlineData("UnhealthyAfterFailures", "0")]
    [InlineData("StopHostAfterFailures", "0")]
    public async Task A_setting_out_of_its_range_is_an_error_at_start_that_names_the_service(string setting, string value)
    {
        var error = await FailsToStartAsync<OptionsValidationException>(services => services.AddExclusiveBackgroundService<NamedService>(o => Set(o, setting, value)));
        Assert.Contains(typeof(NamedService).ToString(), error.Message, StringComparison.Ordinal);
        if (setting is not ("LockName" or "LeaseDuration"))
        {
            Assert.Contains(setting, error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    [Failure("F64")]
    public async Task MaxHold_of_a_service_is_an_error_at_start_that_names_MaxTerm()
    {
        var error = await FailsToStartAsync<OptionsValidationException>(services => services
            .AddExclusiveBackgroundService<NamedService>(o => o.LockOptions = new LockOptions { MaxHold = TimeSpan.FromHours(1) }));
        Assert.Contains("Set MaxTerm instead", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_defaults_are_in_their_ranges_and_can_be_set_for_all_services()
    {
        await using var cluster = new Cluster();
        var node = cluster.CreateNode("a", services => services
            .ConfigureAll<ExclusiveServiceOptions>(o => o.OnOverdue = OverdueAction.StopHost)
            .AddExclusiveBackgroundService<NamedService>());
        await node.Host.StartAsync(TestContext.Current.CancellationToken);
        Assert.Equal(OverdueAction.StopHost, node.Host.Services.GetRequiredService<IOptionsMonitor<ExclusiveServiceOptions>>().Get(typeof(NamedService).ToString()).OnOverdue);
    }

    [Fact]
    public async Task A_host_without_coordination_fails_to_start_and_says_what_to_call()
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddExclusiveBackgroundService<NamedService>();
        using var host = builder.Build();
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => host.StartAsync(TestContext.Current.CancellationToken));
        Assert.Contains("AddCoordination", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_service_whose_constructor_throws_fails_the_start_and_acquires_no_lock()
    {
        await using var cluster = new Cluster();
        var node = cluster.CreateNode("a", services => services
            .AddExclusiveBackgroundService<NamedService>()
            .AddExclusiveBackgroundService<UnmadeService>());
        await Assert.ThrowsAsync<NotSupportedException>(() => node.Host.StartAsync(TestContext.Current.CancellationToken));
        Assert.Equal(0, cluster.Store.Count);
    }

    [Fact]
    public async Task A_node_contends_only_when_every_service_of_its_host_has_started()
    {
        await using var cluster = new Cluster();
        var slow = new SlowStart();
        var node = cluster.CreateNode("a", services => services
            .AddExclusiveBackgroundService<NamedService>()
            .AddSingleton<IHostedService>(slow));
        var start = node.Host.StartAsync(TestContext.Current.CancellationToken);
        await Cluster.UntilAsync(() => slow.IsStarting, "the other service starts");
        Assert.Equal(0, cluster.Store.Count);

        slow.Started.SetResult();
        await start;
        await Cluster.UntilAsync(() => Named(node, "by-attribute").IsLeader, "the node leads");
    }

    [Fact]
    public async Task A_service_may_ask_for_its_own_leadership_and_is_disposed_with_the_host()
    {
        await using var cluster = new Cluster();
        var disposals = new ConcurrentQueue<string>();
        var node = cluster.CreateNode("a", services => services.AddSingleton(disposals).AddExclusiveBackgroundService<CuriousService>());
        await node.Host.StartAsync(TestContext.Current.CancellationToken);
        await Cluster.UntilAsync(() => node.Host.Services.GetRequiredService<ILeadership<CuriousService>>().IsLeader, "the node leads");
        await node.DisposeAsync();
        Assert.Equal([$"Coordination.Hosting.Tests/{typeof(CuriousService)}"], disposals);
    }

    [Fact]
    [Failure("F86")]
    public async Task The_leadership_of_a_name_that_no_service_has_is_null_where_null_is_meant()
    {
        await using var cluster = new Cluster();
        var node = cluster.CreateNode("a", services => services.AddExclusiveBackgroundService<NamedService>());
        Assert.Null(node.Host.Services.GetKeyedService<ILeadership>("unknown"));
        Assert.Throws<InvalidOperationException>(() => Named(node, "unknown"));
        Assert.NotNull(node.Host.Services.GetKeyedService<ILeadership>("by-attribute"));
    }

    private static ILeadership Named(TestNode node, string name) => node.Host.Services.GetRequiredKeyedService<ILeadership>(name);

    private static async Task<TError> FailsToStartAsync<TError>(Action<IServiceCollection> services)
        where TError : Exception
    {
        await using var cluster = new Cluster();
        var node = cluster.CreateNode("a", services);
        return await Assert.ThrowsAsync<TError>(() => node.Host.StartAsync(TestContext.Current.CancellationToken));
    }

    private static void Set(ExclusiveServiceOptions options, string setting, string value)
    {
        switch (setting)
        {
            case "LockName": options.LockName = value; break;
            case "AfterCompletion": options.AfterCompletion = Enum.Parse<CompletionAction>(value); break;
            case "CompletionPause": options.CompletionPause = TimeSpan.Parse(value, null); break;
            case "MinRestartDelay": options.MinRestartDelay = TimeSpan.Parse(value, null); break;
            case "MaxRestartDelay": options.MaxRestartDelay = TimeSpan.Parse(value, null); break;
            case "RestartDelayResetAfter": options.RestartDelayResetAfter = TimeSpan.Parse(value, null); break;
            case "OverdueAfter": options.OverdueAfter = TimeSpan.Parse(value, null); break;
            case "OverdueWarningInterval": options.OverdueWarningInterval = TimeSpan.Parse(value, null); break;
            case "LeaseDuration": options.LockOptions = new LockOptions { LeaseDuration = TimeSpan.Parse(value, null) }; break;
            case "MaxTerm": options.MaxTerm = TimeSpan.Parse(value, null); break;
            case "OnOverdue": options.OnOverdue = Enum.Parse<OverdueAction>(value); break;
            case "DegradedAfterFailures": options.DegradedAfterFailures = int.Parse(value, null); break;
            case "UnhealthyAfterFailures": options.UnhealthyAfterFailures = int.Parse(value, null); break;
            case "StopHostAfterFailures": options.StopHostAfterFailures = int.Parse(value, null); break;
            default: throw new ArgumentOutOfRangeException(nameof(setting), setting, "No such setting.");
        }
    }

    private sealed class NamelessService : PartitionedBackgroundService
    {
        protected override Task ExecutePartitionAsync(ExclusiveTerm term, CancellationToken stoppingToken) => Task.CompletedTask;
    }

    private sealed class PartitionService(ConcurrentDictionary<string, object> seen) : ExclusiveBackgroundService
    {
        protected override Task ExecuteExclusiveAsync(ExclusiveTerm term, CancellationToken stoppingToken)
        {
            seen[term.LockName] = this;
            return Task.Delay(Timeout.Infinite, stoppingToken);
        }
    }

    [ExclusiveLock("by-attribute")]
    private sealed class NamedService : ExclusiveBackgroundService
    {
        protected override Task ExecuteExclusiveAsync(ExclusiveTerm term, CancellationToken stoppingToken) => Task.Delay(Timeout.Infinite, stoppingToken);
    }

    private sealed class GenericService<T> : ExclusiveBackgroundService
    {
        protected override Task ExecuteExclusiveAsync(ExclusiveTerm term, CancellationToken stoppingToken) => Task.Delay(Timeout.Infinite, stoppingToken);
    }

    private sealed class UnmadeService : ExclusiveBackgroundService
    {
        public UnmadeService() => throw new NotSupportedException("thrown by the constructor");

        protected override Task ExecuteExclusiveAsync(ExclusiveTerm term, CancellationToken stoppingToken) => Task.CompletedTask;
    }

    private sealed class CuriousService(ILeadership<CuriousService> leadership, ConcurrentQueue<string> disposals) : ExclusiveBackgroundService, IDisposable
    {
        public void Dispose() => disposals.Enqueue(leadership.LockName);

        protected override Task ExecuteExclusiveAsync(ExclusiveTerm term, CancellationToken stoppingToken)
        {
            Assert.True(leadership.IsLeader);
            return Task.Delay(Timeout.Infinite, stoppingToken);
        }
    }

    private sealed class SlowStart : IHostedService
    {
        public TaskCompletionSource Started { get; } = new();

        public bool IsStarting { get; private set; }

        public Task StartAsync(CancellationToken cancellationToken)
        {
            IsStarting = true;
            return Started.Task;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
