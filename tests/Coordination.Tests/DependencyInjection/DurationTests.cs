using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Coordination.Tests.DependencyInjection;

/// <summary>Every duration that can be set, with every value that somebody may set it to.</summary>
public sealed class DurationTests
{
    private static readonly TimeSpan[] Values =
        [TimeSpan.Zero, TimeSpan.FromSeconds(-1), TimeSpan.FromTicks(1), TimeSpan.FromDays(1), TimeSpan.MaxValue, TimeSpan.MinValue, Timeout.InfiniteTimeSpan];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string, TimeSpan> OfNodes => Data(typeof(CoordinationOptions));

    public static TheoryData<string, TimeSpan> OfLocks => Data(typeof(LockOptions));

    public static TheoryData<TimeSpan> Timeouts => [.. Values];

    [Theory]
    [Failure("F41")]
    [MemberData(nameof(OfNodes))]
    public async Task A_nodes_duration_works_or_stops_the_start_and_is_named(string name, TimeSpan value)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddCoordination(options => Set(options, name, value)).UseInMemory();
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
        Set(options, name, value);
        var services = new ServiceCollection();
        services.AddCoordination().UseInMemory();
        await using var node = services.BuildServiceProvider();
        ILock work;
        try
        {
            work = node.GetRequiredService<ILockProvider>().GetLock("work", options);
        }
        catch (ArgumentOutOfRangeException error)
        {
            Assert.Equal(value, error.ActualValue);
            return;
        }

        await UseAsync(node, work);
    }

    [Theory]
    [Failure("F41")]
    [MemberData(nameof(Timeouts))]
    public async Task A_timeout_works_or_is_refused(TimeSpan timeout)
    {
        var services = new ServiceCollection();
        services.AddCoordination().UseInMemory();
        await using var node = services.BuildServiceProvider();
        var work = node.GetRequiredService<ILockProvider>().GetLock("work");
        try
        {
            await (await work.AcquireAsync(timeout, Cancellation)).DisposeAsync();
            await (await work.TryAcquireAsync(timeout, Cancellation))!.DisposeAsync();
        }
        catch (ArgumentOutOfRangeException error)
        {
            Assert.Equal(timeout, error.ActualValue);
        }
    }

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

    private static TheoryData<string, TimeSpan> Data(Type options)
    {
        var data = new TheoryData<string, TimeSpan>();
        foreach (var property in options.GetProperties().Where(property => (Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType) == typeof(TimeSpan)))
        {
            foreach (var value in Values)
            {
                data.Add(property.Name, value);
            }
        }

        return data;
    }

    private static void Set(object options, string name, TimeSpan value) => options.GetType().GetProperty(name, BindingFlags.Public | BindingFlags.Instance)!.SetValue(options, value);

    private static async Task UseAsync(IServiceProvider services, ILock? work)
    {
        work ??= services.GetRequiredService<ILockProvider>().GetLock("work");
        var lease = await work.AcquireAsync(Cancellation);
        Assert.Equal(LeaseState.Held, lease.State);
        await lease.RenewAsync(Cancellation);
        Assert.Equal(ReleaseResult.Released, await lease.ReleaseAsync(Cancellation));
    }
}
