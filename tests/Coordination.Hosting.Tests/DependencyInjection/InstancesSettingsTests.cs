using System.Globalization;
using Coordination.Hosting.Services;
using Coordination.Hosting.Tests.Nodes;
using Coordination.Stores;
using Coordination.Stores.InMemory;
using Coordination.TestKit.Stores;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Coordination.Hosting.Tests.DependencyInjection;

/// <summary>How many nodes lead at a time, as it is set.</summary>
public sealed class InstancesSettingsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [Failure("F83")]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(LockCapacity.MaxPermits + 1)]
    public async Task A_number_out_of_range_fails_the_start_with_its_value_and_the_limit(int instances)
    {
        using var host = Build(o => o.Instances = instances);
        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(Token));
        Assert.Contains($"Instances is {instances}. Set 1 to 10000", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [Failure("F68")]
    [InlineData(null, "1")]
    [InlineData(null, "2")]
    [InlineData(3, "2")]
    public void The_number_is_bound_from_the_configuration_and_code_wins(int? code, string configured)
    {
        using var host = Build(o => o.Instances = code ?? o.Instances, configured);
        var service = host.Services.GetRequiredService<ExclusiveServices>().All.Single();
        Assert.Equal(code ?? int.Parse(configured, CultureInfo.InvariantCulture), service.Options.Instances);
    }

    [Fact]
    [Failure("F83")]
    public async Task Barging_is_refused_where_several_lead()
    {
        using var host = Build(o => (o.Instances, o.LockOptions) = (2, new LockOptions { AllowBarging = true }));
        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(Token));
        Assert.Contains(nameof(LockOptions.AllowBarging), error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [Failure("F83")]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_store_of_exclusive_locks_alone_is_refused_where_several_lead(int instances)
    {
        using var host = Build(o => o.Instances = instances, services: services => services.AddSingleton<ILockStore>(new ExclusiveOnly(new InMemoryLockStore())));
        if (instances == 1)
        {
            await host.StartAsync(Token);
            await host.StopAsync(Token);
            return;
        }

        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(Token));
        Assert.Contains("Instances is 2. Set 1, or choose another store", error.Message, StringComparison.Ordinal);
    }

    private static IHost Build(Action<ExclusiveServiceOptions> configure, string? configured = null, Action<IServiceCollection>? services = null)
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        if (configured is not null)
        {
            builder.Configuration.AddInMemoryCollection([new("Coordination:Services:WorkingService:Instances", configured)]);
        }

        builder.Services.AddCoordination().UseInMemory();
        builder.Services.AddSingleton(new Work());
        builder.Services.AddExclusiveBackgroundService<WorkingService>(configure);
        services?.Invoke(builder.Services);
        return builder.Build();
    }

    private sealed class ExclusiveOnly(ILockStore inner) : DelegatingLockStore(inner), ILockStore
    {
        bool ILockStore.KeepsShares => false;
    }
}
