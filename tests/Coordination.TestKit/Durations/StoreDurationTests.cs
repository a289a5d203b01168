using Coordination.Testing.Contracts;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Coordination.TestKit.Durations;

/// <summary>Every duration that can be set for a store, and each of the core that goes to its server, with every value that somebody may set it to.</summary>
/// <remarks>A suite says as <c>OfStores</c> which values its store is tried with: <see cref="DurationValues.Of(Type)"/> its options.</remarks>
/// <typeparam name="TOptions">The options of the store.</typeparam>
/// <param name="section">The section of the configuration that they are bound from.</param>
public abstract class StoreDurationTests<TOptions>(string section)
    where TOptions : class
{
    private const string OfStores = nameof(OfStores);
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    [Failure("F41")]
    public void Every_place_that_takes_a_duration_is_tried_here() => Assert.Equal(
        DurationPlaces.OptionsOf(typeof(TOptions)).Select(property => $"{typeof(TOptions).Name}.{property.Name}").Order(StringComparer.Ordinal),
        DurationPlaces.Of(typeof(TOptions).Assembly));

    [Theory]
    [Failure("F41")]
    [MemberData(OfStores)]
    public Task A_stores_duration_works_or_stops_the_start_and_is_named(string name, TimeSpan value) =>
        TryAsync($"{section}:{name}", value, o => DurationValues.Set(o, name, value));

    [Theory]
    [Failure("F41")]
    [MemberData(nameof(DurationValues.OfNodes), MemberType = typeof(DurationValues))]
    public Task A_nodes_duration_works_with_a_server_or_stops_the_start_and_is_named(string name, TimeSpan value) =>
        TryAsync(null, value, configureNode: o => DurationValues.Set(o, name, value));

    [Theory]
    [Failure("F41")]
    [MemberData(nameof(DurationValues.OfLocks), MemberType = typeof(DurationValues))]
    public Task A_locks_duration_works_with_a_server_or_is_refused_and_named(string name, TimeSpan value)
    {
        var options = new LockOptions();
        DurationValues.Set(options, name, value);
        return TryAsync(name, value, lockOptions: options);
    }

    /// <summary>Chooses the store, on a server and with names of this call's own.</summary>
    protected abstract Task UseAsync(ICoordinationBuilder builder, Action<TOptions>? configure);

    private async Task TryAsync(
        string? name, TimeSpan value, Action<TOptions>? configure = null, Action<CoordinationOptions>? configureNode = null, LockOptions? lockOptions = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        await UseAsync(builder.Services.AddCoordination(o => configureNode?.Invoke(o)), configure);
        using var host = builder.Build();
        ILock work;
        try
        {
            await host.StartAsync(Cancellation).WaitAsync(Bound, Cancellation);
            work = host.Services.GetRequiredService<ILockProvider>().GetLock("work", lockOptions);
        }
        catch (Exception error) when (error is OptionsValidationException or ArgumentOutOfRangeException)
        {
            if (name is not null)
            {
                DurationValues.AssertRefused(name, value, error.Message);
            }

            Assert.Contains(value.ToString(), error.Message, StringComparison.Ordinal);
            return;
        }

        var lease = await work.AcquireAsync(Cancellation).WaitAsync(Bound, Cancellation);
        Assert.Equal(LeaseState.Held, lease.State);
        await lease.RenewAsync(Cancellation);
        Assert.Equal(ReleaseResult.Released, await lease.ReleaseAsync(Cancellation).WaitAsync(Bound, Cancellation));
        await host.StopAsync(Cancellation).WaitAsync(Bound, Cancellation);
    }
}
