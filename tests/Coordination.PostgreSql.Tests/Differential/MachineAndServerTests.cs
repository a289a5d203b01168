using System.Globalization;
using Coordination.Stores;
using Coordination.TestKit.Clocks;
using Coordination.TestKit.Nodes;
using Coordination.TestKit.Servers;
using CsCheck;
using Microsoft.Extensions.DependencyInjection;
using Xunit.Sdk;

namespace Coordination.PostgreSql.Tests.Differential;

/// <summary>The machine that says what a store promises, and PostgreSQL: the same requests at the same moments get equal replies from both, tell the same nodes, and leave the same.</summary>
/// <remarks>
/// The server's clock stands still and is moved by the test, so that what runs out does so in the same request. <c>COORDINATION_DIFFERENTIAL_STEPS</c> sets how many requests there are.
/// </remarks>
[Needs(Need.PostgreSql, Need.CCompiler)]
public sealed class MachineAndServerTests : IAsyncLifetime
{
    private const int StepsOfASequence = 100;

    private readonly List<LockNotification> _told = [];
    private ProcessClock? _clock;
    private PostgreSqlProcess? _server;
    private Node? _node;
    private DateTimeOffset _now;
    private int _sequences;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static int Sequences =>
        (int.TryParse(Environment.GetEnvironmentVariable("COORDINATION_DIFFERENTIAL_STEPS"), CultureInfo.InvariantCulture, out var steps) ? steps : 3_000) / StepsOfASequence;

    public async ValueTask InitializeAsync()
    {
        _clock = await ProcessClock.CreateAsync();
        _server = await PostgreSqlProcess.StartAsync(_clock, "fsync=off");
        _node = new Node(builder => builder.UsePostgreSql(_server.ConnectionString));
        _now = DateTimeOffset.FromUnixTimeSeconds(DateTimeOffset.UtcNow.ToUnixTimeSeconds());
        foreach (var node in Step.Nodes)
        {
            await _node.Store.SubscribeAsync(node, _told.Add, Cancellation);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _node!.DisposeAsync();
        await _server!.DisposeAsync();
        _clock!.Dispose();
    }

    [Theory]
    [Promise("G1", "G3", "G6")]
    [InlineData("exclusive")]
    [InlineData("semaphore")]
    [InlineData("readers and writers")]
    public Task The_same_requests_at_the_same_moments_get_equal_replies_from_both(string kind) =>
        Step.Any.Array[1, 2 * StepsOfASequence].SampleAsync(steps => PlayAsync(steps, Step.SharesOf(kind)), iter: Sequences, threads: 1, print: steps => $"{steps.Length} requests");

    private async Task PlayAsync(Step[] steps, LockShare?[] shares)
    {
        var (state, name) = (LockState.Empty, $"lock-{Interlocked.Increment(ref _sequences)}");
        for (var i = 0; i < steps.Length; i++)
        {
            // Not back: what has run out is forgotten by the machine in the next request, and by a row when it is written next.
            _clock!.StandsAt = _now += steps[i].Passing > TimeSpan.Zero ? steps[i].Passing : TimeSpan.Zero;
            var before = state;
            (state, var expected) = steps[i].Take(before, shares, _now);
            var actual = await steps[i].AskAsync(_node!.Store, name, shares, before.LastToken, _told);
            var seen = Step.Said(await _node.Administration.InspectAsync(name, 10, Cancellation));
            try
            {
                Assert.Equal(expected, actual);
                Assert.Equal(Step.Said(LockProtocol.Inspect(state, name, 10, _now)), seen);
            }
            catch (XunitException difference)
            {
                throw new InvalidOperationException($"""
                    {difference.Message}
                    at {_now:O}, of {steps[i]}
                    in {before}, [{string.Join(", ", before.Grants)}], [{string.Join(", ", before.Waiters)}]
                    after {string.Join("\n      ", steps[Math.Max(0, i - 12)..i].AsEnumerable())}
                    """);
            }
        }
    }
}
