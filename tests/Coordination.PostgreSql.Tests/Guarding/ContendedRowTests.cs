using Coordination.PostgreSql.Tests.Servers;
using Coordination.TestKit.Nodes;
using Coordination.TestKit.Waiting;
using Npgsql;

namespace Coordination.PostgreSql.Tests.Guarding;

/// <summary>Many who ask for one lock, one after another, take no time from its holder.</summary>
[Needs(Need.PostgreSql)]
public sealed class ContendedRowTests(PostgreSqlFixture server) : IAsyncLifetime
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

    /// <summary>More than passes between two readings of a clock, and less than between two renewals.</summary>
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(500);

    private readonly long _begunAt = TimeProvider.System.GetTimestamp();
    private readonly SharedServer _server = new(server);
    private readonly string _name = "contended-" + Guid.NewGuid().ToString("N")[..8];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await _server.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    /// <summary>It looks at the row, which somebody has locked for good, and waits for nobody.</summary>
    [Fact]
    [Promise("G2")]
    public async Task A_try_that_was_refused_is_refused_again_without_the_lock_of_a_row()
    {
        await using var first = new Node(_server.Use);
        await using var second = new Node(_server.Use);
        var lease = await first.GetLock(_name).AcquireAsync(Cancellation);
        Assert.Null(await second.GetLock(_name).TryAcquireAsync(Cancellation));
        await using (var users = await server.ConnectAsOperatorAsync())
        await using (await LockAsync(users, _name))
        {
            Assert.Null(await second.GetLock(_name).TryAcquireAsync(Cancellation));
        }

        await lease.ReleaseAsync(Cancellation);
        await using var next = await second.GetLock(_name).TryAcquireAsync(Cancellation);
        Assert.True(next?.FencingToken > lease.FencingToken);
    }

    /// <summary>The rows of two locks are locked by one session after another, with no moment between them; that of a third is kept.</summary>
    [Fact]
    [Promise("G2")]
    public async Task Renewals_take_turns_for_rows_that_others_leave_at_no_moment()
    {
        await using var node = new Node(_server.Use, static options => (options.LeaseDuration, options.RenewalInterval) = (TimeSpan.FromSeconds(40), TimeSpan.FromSeconds(1)));
        await using var one = await node.GetLock(_name + "-1").AcquireAsync(Cancellation);
        await using var two = await node.GetLock(_name + "-2").AcquireAsync(Cancellation);
        await using var kept = await node.GetLock(_name + "-3").AcquireAsync(Cancellation);
        await using var keeper = await server.ConnectAsOperatorAsync();
        await using (await LockAsync(keeper, kept.LockName))
        {
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
            Task[] askers = [.. Enumerable.Range(0, 8).Select(i => AskAsync(i % 2 == 0 ? one.LockName : two.LockName, ending.Token))];
            for (var renewals = 0; renewals < 3; renewals++)
            {
                var (ofOne, ofTwo) = (EndOf(one), EndOf(two));
                await Eventually.IsTrueAsync(() => EndOf(one) > ofOne + Moment && EndOf(two) > ofTwo + Moment, Bound);
            }

            await ending.CancelAsync();
            await Task.WhenAll(askers);
        }

        Assert.Equal((LeaseState.Held, LeaseState.Held), (one.State, two.State));
    }

    /// <summary>Until when it can be relied on, by the clock of this process.</summary>
    private TimeSpan EndOf(ILease lease) => TimeProvider.System.GetElapsedTime(_begunAt) + lease.Remaining;

    private async Task AskAsync(string name, CancellationToken cancellationToken)
    {
        await using var connection = await server.ConnectAsOperatorAsync();
        while (!cancellationToken.IsCancellationRequested)
        {
            await using var transaction = await LockAsync(connection, name);
            await using var work = new NpgsqlCommand("SELECT pg_sleep(0.03)", connection, transaction);
            await work.ExecuteNonQueryAsync(CancellationToken.None);
        }
    }

    private async Task<NpgsqlTransaction> LockAsync(NpgsqlConnection connection, string name)
    {
        var transaction = await connection.BeginTransactionAsync(Cancellation);
        await using var look = new NpgsqlCommand($"SELECT FROM {_server.Schema}.locks WHERE name = '{name}' FOR UPDATE", connection, transaction);
        await look.ExecuteNonQueryAsync(CancellationToken.None);
        return transaction;
    }
}
