using Coordination.PostgreSql.Tests.Servers;
using Coordination.TestKit.Durations;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Coordination.PostgreSql.Tests.DependencyInjection;

/// <summary>Every duration that can be set for the store, and each of the core that goes to the server, with every value that somebody may set it to.</summary>
public sealed class DurationTests(PostgreSqlFixture server)
{
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string, TimeSpan> OfStores => DurationValues.Of(typeof(PostgreSqlStoreOptions));

    public static TheoryData<string, TimeSpan> OfNodes => DurationValues.Of(typeof(CoordinationOptions));

    public static TheoryData<string, TimeSpan> OfLocks => DurationValues.Of(typeof(LockOptions));

    [Fact]
    [Failure("F41")]
    public void Every_place_that_takes_a_duration_is_tried_here() => Assert.Equal(
        DurationPlaces.OptionsOf(typeof(PostgreSqlStoreOptions)).Select(property => $"{nameof(PostgreSqlStoreOptions)}.{property.Name}").Order(StringComparer.Ordinal),
        DurationPlaces.Of(typeof(PostgreSqlStoreOptions).Assembly));

    [Theory]
    [Failure("F41")]
    [Needs(Need.PostgreSql)]
    [MemberData(nameof(OfStores))]
    public Task A_stores_duration_works_or_stops_the_start_and_is_named(string name, TimeSpan value) =>
        TryAsync($"{PostgreSqlStoreOptions.SectionName}:{name}", value, o => DurationValues.Set(o, name, value));

    [Theory]
    [Failure("F41")]
    [Needs(Need.PostgreSql)]
    [MemberData(nameof(OfNodes))]
    public Task A_nodes_duration_works_with_a_server_or_stops_the_start_and_is_named(string name, TimeSpan value) =>
        TryAsync(null, value, configureNode: o => DurationValues.Set(o, name, value));

    [Theory]
    [Failure("F41")]
    [Needs(Need.PostgreSql)]
    [MemberData(nameof(OfLocks))]
    public Task A_locks_duration_works_with_a_server_or_is_refused_and_named(string name, TimeSpan value)
    {
        var options = new LockOptions();
        DurationValues.Set(options, name, value);
        return TryAsync(name, value, lockOptions: options);
    }

    private async Task TryAsync(
        string? name, TimeSpan value, Action<PostgreSqlStoreOptions>? configure = null, Action<CoordinationOptions>? configureNode = null, LockOptions? lockOptions = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        var connectionString = await server.GetConnectionStringAsync();
        builder.Services.AddCoordination(o => configureNode?.Invoke(o)).UsePostgreSql(connectionString, o =>
        {
            o.Schema = "test_" + Guid.NewGuid().ToString("N")[..8];
            configure?.Invoke(o);
        });
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
