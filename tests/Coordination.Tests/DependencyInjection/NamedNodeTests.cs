using Coordination.DependencyInjection;
using Coordination.Stores;
using Coordination.Stores.InMemory;
using Coordination.Telemetry;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Coordination.Tests.DependencyInjection;

/// <summary>F84: several nodes in one container.</summary>
public sealed class NamedNodeTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Failure("F84")]
    public async Task Each_node_has_its_own_store_locks_inspector_and_condition()
    {
        var services = new ServiceCollection();
        services.AddCoordination(options => options.NodeName = "main").UseInMemory();
        services.AddCoordination("billing", options => options.NodeName = "billing").UseInMemory();
        services.AddCoordination("stock").UseInMemory();
        await using var container = services.BuildServiceProvider();
        string?[] names = [null, "billing", "stock"];
        var nodes = names.Select(name => new NodeServices(container, name)).ToArray();

        // One lock of that name in each, all held at once.
        var leases = await Task.WhenAll(nodes.Select(node => node.GetRequired<ILockProvider>().GetLock("work").AcquireAsync(Token)));
        foreach (var (node, lease) in nodes.Zip(leases))
        {
            Assert.Null(await node.GetRequired<ILockProvider>().GetLock("work").TryAcquireAsync(Token));
            Assert.Equal(lease.Owner, (await node.GetRequired<ILockInspector>().InspectAsync("work", cancellationToken: Token)).Holder!.Owner);
        }

        Assert.StartsWith("main-", leases[0].Owner.NodeId, StringComparison.Ordinal);
        Assert.StartsWith("billing-", leases[1].Owner.NodeId, StringComparison.Ordinal);
        Assert.Equal(3, nodes.Select(node => node.GetRequired<ILockStore>()).Distinct().Count());
        Assert.Equal(3, nodes.Select(node => node.GetRequired<StoreCondition>()).Distinct().Count());
    }

    [Fact]
    [Failure("F84")]
    public async Task A_node_with_a_name_needs_none_without()
    {
        var services = new ServiceCollection();
        services.AddCoordination("billing").UseInMemory();
        await using var container = services.BuildServiceProvider(new ServiceProviderOptions { ValidateOnBuild = true, ValidateScopes = true });

        await using var lease = await container.GetRequiredKeyedService<ILockProvider>("billing").GetLock("work").AcquireAsync(Token);

        Assert.Null(container.GetService<ILockProvider>());
        Assert.Null(container.GetKeyedService<ILockProvider>("stock"));
    }

    [Fact]
    [Failure("F84")]
    public async Task A_node_with_a_name_takes_no_store_of_another()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddCoordination().UseInMemory();
        builder.Services.AddCoordination("billing");
        using var host = builder.Build();

        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(Token));

        Assert.Contains("after AddCoordination(\"billing\")", error.Message, StringComparison.Ordinal);
        Assert.Throws<OptionsValidationException>(() => host.Services.GetRequiredKeyedService<ILockProvider>("billing"));
    }

    [Fact]
    [Failure("F84")]
    public void Each_node_has_its_own_section_and_code_wins_over_it()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(
        [
            new("Coordination:LeaseDuration", "00:00:30"),
            new("Coordination:billing:LeaseDuration", "00:00:20"),
            new("Coordination:billing:ClaimWindow", "00:00:05"),
        ]);
        builder.Services.AddCoordination().UseInMemory();
        builder.Services.AddCoordination("billing", options => options.ClaimWindow = TimeSpan.FromSeconds(1)).UseInMemory();
        using var host = builder.Build();

        Assert.Equal(TimeSpan.FromSeconds(30), host.Services.GetRequiredService<IOptions<CoordinationOptions>>().Value.LeaseDuration);
        var billing = new NodeServices(host.Services, "billing").GetOptions<CoordinationOptions>();
        Assert.Equal((TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(1)), (billing.LeaseDuration, billing.ClaimWindow));
    }

    [Fact]
    [Failure("F68", "F84")]
    public void What_is_set_in_code_wins_over_the_configuration_also_where_it_is_set_first()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection([new("Coordination:LeaseDuration", "00:00:30"), new("Coordination:ClaimWindow", "00:00:05")]);
        builder.Services.Configure<CoordinationOptions>(options => options.LeaseDuration = TimeSpan.FromSeconds(20));
        builder.Services.AddCoordination().UseInMemory();
        using var host = builder.Build();

        var options = host.Services.GetRequiredService<IOptions<CoordinationOptions>>().Value;
        Assert.Equal((TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(5)), (options.LeaseDuration, options.ClaimWindow));
    }

    [Theory]
    [Failure("F84")]
    [InlineData("LeaseDuration", "00:00:00.050")]
    [InlineData("RenewalInterval", "00:00:14")]
    [InlineData("RenewalInterval", "00:00:00")]
    [InlineData("ClaimWindow", "00:02:00")]
    [InlineData("NodeName", "a/b")]
    public async Task What_is_wrong_with_a_setting_of_a_node_is_said_of_its_section(string setting, string value)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection([new($"Coordination:billing:{setting}", value)]);
        builder.Services.AddCoordination().UseInMemory();
        builder.Services.AddCoordination("billing").UseInMemory();
        using var host = builder.Build();

        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(Token));

        Assert.Contains($"Coordination:billing:{setting}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Failure("F84")]
    public async Task A_store_that_is_handed_in_may_be_that_of_several_nodes_and_the_last_one_counts()
    {
        var store = new InMemoryLockStore();
        var services = new ServiceCollection();
        services.AddCoordination().UseStore(store);
        services.AddCoordination("billing").UseInMemory().UseStore(_ => store);
        await using var container = services.BuildServiceProvider();

        await using var lease = await container.GetRequiredService<ILockProvider>().GetLock("work").AcquireAsync(Token);

        Assert.Null(await container.GetRequiredKeyedService<ILockProvider>("billing").GetLock("work").TryAcquireAsync(Token));
    }

    [Fact]
    [Failure("F84")]
    public async Task The_outage_of_one_nodes_store_is_none_of_anothers()
    {
        var away = new Testing.ControllableLockStore { IsAway = true };
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.AddFakeLogging());
        services.AddCoordination().UseInMemory();
        services.AddCoordination("billing").UseControllableStore(away);
        await using var container = services.BuildServiceProvider();

        await Assert.ThrowsAsync<LockStoreException>(() => container.GetRequiredKeyedService<ILockProvider>("billing").GetLock("work").TryAcquireAsync(Token));
        await using var lease = await container.GetRequiredService<ILockProvider>().GetLock("work").TryAcquireAsync(Token);

        Assert.NotNull(lease);
        Assert.NotNull(container.GetRequiredKeyedService<StoreCondition>("billing").Trouble);
        Assert.Null(container.GetRequiredService<StoreCondition>().Trouble);
    }

    [Theory]
    [Failure("F84")]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("a:b")]
    [InlineData("redis")]
    [InlineData("RunOnce")]
    [InlineData("Services")]
    [InlineData("LeaseDuration")]
    public void A_name_that_the_section_uses_otherwise_is_refused(string name) =>
        Assert.Throws<ArgumentException>(nameof(name), () => new ServiceCollection().AddCoordination(name));
}
