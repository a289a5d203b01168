using Coordination.Occurrences;
using Coordination.Stores;
using Coordination.Stores.InMemory;
using Coordination.TestKit.Durations;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Coordination.Tests.DependencyInjection;

/// <summary>Every duration that can be set, with every value that somebody may set it to.</summary>
public sealed class DurationTests
{
    /// <summary>What a node asks a store, and what a store says: made of what was set, and checked there. And what it is checked with.</summary>
    private static readonly Type[] Protocol =
    [
        typeof(AcquireRequest), typeof(ReleaseRequest), typeof(RenewalRequest), typeof(GuardRequest), typeof(LockNotification), typeof(LockHandover), typeof(LockHolder), typeof(LockWaiter),
        typeof(ILockStoreAdministration), typeof(LockProtocol), typeof(DurationRange),
    ];

    private static readonly LockOwner Ada = new("ada", 1);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string, TimeSpan> OfNodes => DurationValues.Of(typeof(CoordinationOptions));

    public static TheoryData<string, TimeSpan> OfLocks => DurationValues.Of(typeof(LockOptions));

    public static TheoryData<TimeSpan> Each => DurationValues.Each;

    [Fact]
    [Failure("F41")]
    public void Every_place_that_takes_a_duration_is_tried_here() => Assert.Equal(
        [
            "CoordinationOptions.ClaimWindow", "CoordinationOptions.LeaseDuration", "CoordinationOptions.ReleaseTimeout",
            "CoordinationOptions.RenewalInterval", "CoordinationOptions.SafetyMargin", "CoordinationOptions.TerminationGracePeriod",
            "CoordinationStopTimeExtensions.AddCoordinationStopTime(longest)",
            "ILock.AcquireAsync(timeout)", "ILock.TryAcquireAsync(timeout)",
            "ILockInspector.StepDownAsync(stayAway)", "ILockInspector.StepDownAsync(timeout)",
            "ILockProvider.AcquireAllAsync(timeout)", "ILockProvider.TryAcquireAllAsync(timeout)",
            "InMemoryLockStore.Assign(leaseDuration)", "InMemoryLockStore.RevokeAsync(claimWindow)",
            "LockOptions.LeaseDuration", "LockOptions.LockAtLeastFor", "LockOptions.MaxHold", "LockOptions.ProgressTimeout",
            "Occurrence.RememberFor", "OccurrenceLocks.AcquireAsync(timeout)", "StepDownRequest.StayAway", "TelemetryDispatcher.FlushAsync(limit)",
        ],
        DurationPlaces.Of(typeof(LockOptions).Assembly, Protocol));

    [Theory]
    [Failure("F41")]
    [MemberData(nameof(OfNodes))]
    public async Task A_nodes_duration_works_or_stops_the_start_and_is_named(string name, TimeSpan value)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddCoordination(options => DurationValues.Set(options, name, value)).UseInMemory();
        using var host = builder.Build();
        try
        {
            await host.StartAsync(Cancellation);
        }
        catch (OptionsValidationException error)
        {
            Assert.Contains(name, error.Message, StringComparison.Ordinal);
            Assert.Contains(value.ToString(), error.Message, StringComparison.Ordinal);
            return;
        }

        await UseAsync(host.Services, null);
    }

    [Theory]
    [Failure("F41")]
    [MemberData(nameof(OfLocks))]
    public async Task A_locks_duration_works_or_is_refused_before_anything_is_asked(string name, TimeSpan value)
    {
        var options = new LockOptions();
        DurationValues.Set(options, name, value);
        await using var node = CreateNode();
        ILock work;
        try
        {
            work = node.GetRequiredService<ILockProvider>().GetLock("work", options);
        }
        catch (ArgumentOutOfRangeException error)
        {
            Assert.Equal(value, error.ActualValue);
            DurationValues.AssertRefused(name, value, error.Message);
            return;
        }

        await UseAsync(node, work);
    }

    [Theory]
    [Failure("F41")]
    [MemberData(nameof(Each))]
    public async Task A_timeout_works_or_is_refused(TimeSpan timeout)
    {
        await using var node = CreateNode();
        var work = node.GetRequiredService<ILockProvider>().GetLock("work");
        await TryAsync(nameof(timeout), timeout, async () => await (await work.AcquireAsync(timeout, Cancellation)).DisposeAsync());
        await TryAsync(nameof(timeout), timeout, async () => await (await work.TryAcquireAsync(timeout, Cancellation))!.DisposeAsync());
        var locks = node.GetRequiredService<ILockProvider>();
        await TryAsync(nameof(timeout), timeout, async () => await (await locks.AcquireAllAsync(["a", "b"], timeout, cancellationToken: Cancellation)).DisposeAsync());
        await TryAsync(nameof(timeout), timeout, async () => await (await locks.TryAcquireAllAsync(["a", "b"], timeout, cancellationToken: Cancellation))!.DisposeAsync());
    }

    [Theory]
    [Failure("F41")]
    [MemberData(nameof(Each))]
    public async Task The_durations_of_an_occurrence_work_or_are_refused_before_anything_is_asked(TimeSpan value)
    {
        var store = new InMemoryLockStore();
        await using var node = CreateNode(store);
        var locks = node.GetRequiredService<OccurrenceLocks>();
        await TryAsync("timeout", value, async () =>
        {
            if ((await locks.AcquireAsync("work", null, Nightly(TimeSpan.FromDays(1)), value, Cancellation)).Lease is { } lease)
            {
                await lease.ReleaseAsync(Cancellation);
            }
        });
        await TryAsync(nameof(Occurrence.RememberFor), value, async () =>
        {
            var lease = (await locks.TryAcquireAsync("other work", null, Nightly(value), Cancellation)).Lease!;
            Assert.Equal(ReleaseResult.Released, await lease.ReleaseAsync(Cancellation));
        });
        Assert.Null(await store.GetHolderAsync("work", Cancellation));
        Assert.Null(await store.GetHolderAsync("other work", Cancellation));

        static Occurrence Nightly(TimeSpan rememberFor) => new() { Series = "nightly", Time = DateTimeOffset.UnixEpoch, Run = "a run", RememberFor = rememberFor };
    }

    [Theory]
    [Failure("F41")]
    [MemberData(nameof(Each))]
    public async Task A_duration_that_the_store_in_memory_is_told_by_hand_works_or_is_refused(TimeSpan value)
    {
        var store = new InMemoryLockStore();
        await TryAsync("leaseDuration", value, () =>
        {
            store.Assign("work", Ada, value);
            return Task.CompletedTask;
        });
        store.Assign("work", Ada, TimeSpan.FromSeconds(15));
        await store.AcquireAsync(Requests.Acquire("work", new LockOwner("grace", 1), TimeSpan.FromSeconds(15), wait: true), Cancellation);
        var token = (await store.GetHolderAsync("work", Cancellation))!.FencingToken;
        await TryAsync("claimWindow", value, async () =>
        {
            Assert.True(await store.RevokeAsync("work", token, value, Cancellation));
            Assert.NotEqual(token, (await store.GetHolderAsync("work", Cancellation))?.FencingToken);
        });
    }

    [Theory]
    [Failure("F41")]
    [MemberData(nameof(Each))]
    public async Task The_durations_of_a_request_to_step_down_work_or_are_refused(TimeSpan value)
    {
        await using var node = CreateNode();
        var inspector = node.GetRequiredService<ILockInspector>();
        var lease = await node.GetRequiredService<ILockProvider>().GetLock("work").AcquireAsync(Cancellation);
        lease.StepDownRequested.Register(() => _ = lease.ReleaseAsync(CancellationToken.None));
        await TryAsync("stayAway", value, () => inspector.StepDownAsync("work", stayAway: value, cancellationToken: Cancellation));
        await TryAsync("timeout", value, () => inspector.StepDownAsync("work", timeout: value, cancellationToken: Cancellation));
        await TryAsync(nameof(StepDownRequest.StayAway), value, () => Task.FromResult(new StepDownRequest { StayAway = value }));
    }

    [Theory]
    [Failure("F41")]
    [MemberData(nameof(Each))]
    public async Task A_flush_works_or_is_refused(TimeSpan limit)
    {
        await using var node = CreateNode();
        var telemetry = node.GetRequiredService<Coordination.Telemetry.TelemetryDispatcher>();
        await TryAsync(nameof(limit), limit, () => telemetry.FlushAsync(limit));
    }

    [Theory]
    [Failure("F41")]
    [MemberData(nameof(Each))]
    public async Task What_a_stop_may_take_beside_works_or_is_refused(TimeSpan longest) => await TryAsync(nameof(longest), longest, async () =>
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddCoordination(options => options.TerminationGracePeriod = TimeSpan.FromSeconds(30)).UseInMemory();
        builder.Services.AddCoordinationStopTime("the last jobs", longest);
        using var host = builder.Build();
        await host.StartAsync(Cancellation);
        await host.StopAsync(Cancellation);
    });

    [Fact]
    [Failure("F51")]
    public void Scaling_keeps_the_bounds_of_interval_and_margin()
    {
        var node = new CoordinationOptions { LeaseDuration = TimeSpan.FromHours(1), RenewalInterval = TimeSpan.FromSeconds(10), SafetyMargin = TimeSpan.FromSeconds(10) };
        foreach (var duration in (TimeSpan[])[LeaseTimings.MinDuration, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1), LeaseTimings.MaxDuration])
        {
            var timings = LeaseTimings.Of(node, new LockOptions { LeaseDuration = duration });
            Assert.True(timings.RenewalInterval >= LeaseTimings.MinRenewalInterval, $"{duration}: interval {timings.RenewalInterval}");
            Assert.True(timings.SafetyMargin >= LeaseTimings.MinSafetyMargin, $"{duration}: margin {timings.SafetyMargin}");
            Assert.True(timings.RenewalInterval + timings.SafetyMargin <= duration * 0.9, $"{duration}: {timings}");
        }

        node = new CoordinationOptions { LeaseDuration = TimeSpan.FromHours(1), RenewalInterval = TimeSpan.FromMinutes(53), SafetyMargin = TimeSpan.FromSeconds(1) };
        var shortest = LeaseTimings.Of(node, new LockOptions { LeaseDuration = LeaseTimings.MinDuration });
        Assert.True(shortest.RenewalInterval + shortest.SafetyMargin <= LeaseTimings.MinDuration * 0.9);
    }

    private static ServiceProvider CreateNode(InMemoryLockStore? store = null)
    {
        var services = new ServiceCollection();
        services.AddCoordination().UseInMemory(store ?? new InMemoryLockStore());
        return services.BuildServiceProvider();
    }

    private static async Task TryAsync(string name, TimeSpan value, Func<Task> call)
    {
        try
        {
            await call().WaitAsync(TimeSpan.FromMinutes(1), Cancellation);
        }
        catch (ArgumentOutOfRangeException error)
        {
            Assert.Equal(value, error.ActualValue);
            DurationValues.AssertRefused(name, value, error.Message);
        }
    }

    private static async Task UseAsync(IServiceProvider services, ILock? work)
    {
        work ??= services.GetRequiredService<ILockProvider>().GetLock("work");
        var lease = await work.AcquireAsync(Cancellation);
        Assert.Equal(LeaseState.Held, lease.State);
        await lease.RenewAsync(Cancellation);
        Assert.Equal(ReleaseResult.Released, await lease.ReleaseAsync(Cancellation));
    }
}
