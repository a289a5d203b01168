using System.Diagnostics;
using Coordination.Redis.Tests.Servers;
using Coordination.TestKit.Clocks;
using Coordination.TestKit.Servers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;

namespace Coordination.Redis.Tests.DependencyInjection;

/// <summary>The server's leases end by real time, so a node on it lives in real time as well, or does not start.</summary>
public sealed class TimeProviderTests(RedisServerFixture server)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly string _prefix = "test-" + Guid.NewGuid().ToString("N")[..8];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string, bool> Unreal => new MatrixTheoryData<string, bool>([nameof(FakeTimeProvider), nameof(TestClock), nameof(FastClock), nameof(SlowClock), nameof(HastyClock), nameof(FakeTimers), nameof(TimersAtOnce), nameof(TimersAtOnceHeardLate)], [true, false]);

    [Theory]
    [Failure("F59")]
    [Promise("G2")]
    [MemberData(nameof(Unreal))]
    public async Task A_clock_that_does_not_run_with_real_time_fails_the_start_which_names_it(string clock, bool probe)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddSingleton(ClockOf(clock));
        builder.Services.AddCoordination().UseRedis("localhost", options => options.ProbeOnStart = probe);
        using var host = builder.Build();

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => host.StartAsync(Token).WaitAsync(Patience, Token));

        Assert.Contains(clock, error.Message, StringComparison.Ordinal);
        Assert.Contains("UseInMemory", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Where no host starts.</summary>
    [Fact]
    [Failure("F59")]
    public async Task A_clock_that_does_not_run_with_real_time_gives_no_provider()
    {
        await using var node = new TestNode(builder => builder.UseRedis("localhost").Services.AddSingleton<TimeProvider>(new FakeTimeProvider()));

        Assert.Contains(nameof(FakeTimeProvider), Assert.Throws<InvalidOperationException>(() => node.Provider).Message, StringComparison.Ordinal);
    }

    [Theory]
    [Failure("F59")]
    [InlineData(nameof(ShiftedClock))]
    [InlineData(nameof(CoarseClock))]
    [Needs(Need.RedisServer)]
    public async Task A_clock_with_another_date_is_fine(string clock)
    {
        var connectionString = await server.GetConnectionStringAsync();
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddSingleton(ClockOf(clock));
        builder.Services.AddCoordination().UseRedis(connectionString, options => options.KeyPrefix = _prefix);
        using var host = builder.Build();

        await host.StartAsync(Token);
        await (await host.Services.GetRequiredService<ILockProvider>().GetLock("orders").AcquireAsync(Token)).DisposeAsync();
        await host.StopAsync(Token);
    }

    private static TimeProvider ClockOf(string name) => name switch
    {
        nameof(FakeTimeProvider) => new FakeTimeProvider(),
        nameof(TestClock) => new TestClock(),
        nameof(FastClock) => new FastClock(),
        nameof(SlowClock) => new SlowClock(),
        nameof(HastyClock) => new HastyClock(),
        nameof(FakeTimers) => new FakeTimers(),
        nameof(TimersAtOnce) => new TimersAtOnce(),
        nameof(TimersAtOnceHeardLate) => new TimersAtOnceHeardLate(),
        nameof(ShiftedClock) => new ShiftedClock(TimeSpan.FromDays(365)),
        nameof(CoarseClock) => new CoarseClock(),
        _ => throw new UnreachableException(),
    };

    private sealed class FastClock : TimeProvider
    {
        public override long GetTimestamp() => 10 * base.GetTimestamp();
    }

    private sealed class SlowClock : TimeProvider
    {
        public override long GetTimestamp() => base.GetTimestamp() / 10;
    }

    /// <summary>Goes on by each look at it, and by as much as looks like real time to whoever looks twice.</summary>
    private sealed class HastyClock : FakeTimeProvider
    {
        public HastyClock() => AutoAdvanceAmount = TimeSpan.FromMilliseconds(60);

        public override long GetTimestamp() => GetUtcNow().Ticks;
    }

    /// <summary>The clock is real, and the timers wait for somebody who moves a fake one.</summary>
    private sealed class FakeTimers : TimeProvider
    {
        private readonly FakeTimeProvider _fake = new();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => _fake.CreateTimer(callback, state, dueTime, period);
    }

    private sealed class TimersAtOnce : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => base.CreateTimer(callback, state, TimeSpan.Zero, period);
    }

    /// <summary>As a busy machine shows them: they ring whatever time was asked for, and are heard of some time later.</summary>
    private sealed class TimersAtOnceHeardLate : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => base.CreateTimer(callback, state, TimeSpan.FromMilliseconds(60), period);
    }

    /// <summary>Real, of another origin and frequency, and with large ticks.</summary>
    private sealed class CoarseClock : TimeProvider
    {
        public override long TimestampFrequency => 1000;

        public override long GetTimestamp() => Environment.TickCount64 / 16 * 16;
    }
}
