using Coordination.PostgreSql.Stores;
using Coordination.PostgreSql.Tests.Servers;
using Coordination.Stores;
using Coordination.TestKit.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Coordination.PostgreSql.Tests.Guarding;

/// <summary>A grant that has run out and guards a transaction which is under way keeps its own place, and nothing else waits for it.</summary>
[Needs(Need.PostgreSql)]
public sealed class GuardedShareTests(PostgreSqlFixture server) : IAsyncLifetime
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

    /// <summary>More than a call takes on a busy machine, and less than a row is waited for.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    private static readonly LockShare OneOfThree = LockShare.PermitOf(3);

    private readonly SharedServer _server = new(server);
    private readonly string _name = "guarded-" + Guid.NewGuid().ToString("N")[..8];
    private readonly LockOwner _stuck = new("stuck", 1);
    private readonly LockOwner _other = new("other", 1);
    private readonly LockOwner _third = new("third", 1);
    private Node? _node;
    private NpgsqlConnection? _users;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private Node Node => _node!;

    private ILockStore Store => Node.Store;

    private NpgsqlConnection Users => _users!;

    public async ValueTask InitializeAsync()
    {
        await _server.StartAsync();
        _node = new Node(_server.Use);
        _users = await server.ConnectAsOperatorAsync();
        await Node.Administration.PingAsync(Cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await Users.DisposeAsync();
        await Node.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    [Promise("G5", "G12")]
    public async Task Other_permits_are_granted_renewed_and_released_beside_one_that_is_stuck()
    {
        var (transaction, token) = await GuardAndRunOutAsync(OneOfThree);
        await using (transaction)
        {
            var granted = await InTimeAsync(Store.AcquireAsync(Ask(_other, OneOfThree), Cancellation));
            Assert.True(granted.IsGranted);
            Assert.True((await InTimeAsync(Store.AcquireAsync(Ask(_third, OneOfThree), Cancellation))).IsGranted);

            // It counts, and is nobody's.
            var late = new LockOwner("late", 1);
            var refused = await InTimeAsync(Store.AcquireAsync(Ask(late, OneOfThree) with { Wait = true }, Cancellation));
            Assert.Equal((false, token), (refused.IsGranted, refused.Holder!.FencingToken));
            Assert.InRange(refused.Holder.TimeToLive, TimeSpan.Zero, Soon);
            Assert.Equal([RenewalReply.Renewed, RenewalReply.NotHeld], await InTimeAsync(Store.RenewAsync([Renewal(_other, OneOfThree), Renewal(_stuck, OneOfThree)], Cancellation)));
            Assert.Equal(ReleaseOutcome.NotHeld, (await InTimeAsync(Store.ReleaseAsync(Leaving(_stuck, OneOfThree), Cancellation))).Outcome);
            Assert.False(await InTimeAsync(Node.Administration.AskToStepDownAsync(_name, token, new StepDownRequest(), Cancellation)));
            Assert.True(await InTimeAsync(Node.Administration.AskToStepDownAsync(_name, granted.FencingToken!.Value, new StepDownRequest(), Cancellation)));
            await InTimeAsync(Node.Administration.InspectAsync(_name, 10, Cancellation));
            await InTimeAsync(Node.Administration.ListAsync(null, Cancellation));

            // Who waits has the place that is free, and not the one that is stuck.
            Assert.True(await InTimeAsync(Node.Administration.RevokeAsync(_name, granted.FencingToken!.Value, TimeSpan.FromMinutes(1), Cancellation)));
            var next = await InTimeAsync(Store.AcquireAsync(Ask(late, OneOfThree) with { IsQueued = true }, Cancellation));
            Assert.True(next.IsGranted);
            Assert.NotEqual(0, next.Permit);
            Assert.Equal(ReleaseOutcome.Released, (await InTimeAsync(Store.ReleaseAsync(Leaving(_third, OneOfThree), Cancellation))).Outcome);
            Assert.Equal(ReleaseOutcome.Released, (await InTimeAsync(Store.ReleaseAsync(Leaving(late, OneOfThree), Cancellation))).Outcome);

            // What the row says of it did not change: it is as long over as it was.
            Assert.Equal("1", await AskAsync($"SELECT count(*) FROM {_server.Schema}.shares WHERE name = '{_name}' AND token = {token} AND lasts_until < now() - interval '1 s' AND owner = 'stuck/1'"));
            await transaction.CommitAsync(Cancellation);
        }

        var full = LockShare.PermitOf(1);
        Assert.True((await Store.AcquireAsync(Ask(_other, full), Cancellation)).IsGranted);
        await Store.ReleaseAsync(Leaving(_other, full), Cancellation);
        await _server.AssertOnlyTokenLeftAsync(_name);
    }

    /// <summary>Its transaction may commit still, and with it what the run did.</summary>
    [Fact]
    [Promise("G1", "G11")]
    public async Task A_run_that_is_stuck_is_recovered_by_nobody_before_its_transaction_ends()
    {
        var occurrence = new Occurrence { Series = "series", Time = DateTimeOffset.UtcNow, Run = "run", RememberFor = TimeSpan.FromHours(1), Recover = true };
        var (transaction, _) = await GuardAndRunOutAsync(OneOfThree, occurrence);
        var again = Ask(_other, OneOfThree) with { Occurrence = occurrence with { Run = "other" } };
        await using (transaction)
        {
            var refused = await InTimeAsync(Store.AcquireAsync(again, Cancellation));
            Assert.Equal((false, OccurrenceStatus.Running), (refused.IsGranted, refused.OccurrenceStatus));
            await transaction.RollbackAsync(Cancellation);
        }

        var recovered = await Store.AcquireAsync(again, Cancellation);
        Assert.Equal((true, OccurrenceStatus.Recovering), (recovered.IsGranted, recovered.OccurrenceStatus));
    }

    /// <summary>Readers are let in beside the reader that is stuck, and no writer.</summary>
    [Fact]
    [Promise("G1", "G12")]
    public async Task A_reader_that_is_stuck_keeps_out_writers_and_no_readers()
    {
        var (transaction, _) = await GuardAndRunOutAsync(LockShare.Read);
        await using (transaction)
        {
            Assert.True((await InTimeAsync(Store.AcquireAsync(Ask(_other, LockShare.Read), Cancellation))).IsGranted);
            Assert.Equal(ReleaseOutcome.Released, (await InTimeAsync(Store.ReleaseAsync(Leaving(_other, LockShare.Read), Cancellation))).Outcome);
            Assert.False((await InTimeAsync(Store.AcquireAsync(Ask(_third, LockShare.Write), Cancellation))).IsGranted);
            await transaction.RollbackAsync(Cancellation);
        }

        Assert.True((await Store.AcquireAsync(Ask(_third, LockShare.Write), Cancellation)).IsGranted);
    }

    /// <summary>Of an exclusive lock: who waits leaves at once, and several are asked for in one step.</summary>
    [Fact]
    [Promise("G5", "G12")]
    public async Task Who_waits_for_a_lock_that_is_stuck_leaves_at_once()
    {
        var (transaction, token) = await GuardAndRunOutAsync(null);
        await using (transaction)
        {
            Assert.Equal(token, (await InTimeAsync(Store.AcquireAsync(Ask(_other, null) with { Wait = true }, Cancellation))).Holder!.FencingToken);
            Assert.False((await InTimeAsync(Store.AcquireAsync(Ask(_stuck, null), Cancellation))).IsGranted);
            Assert.Equal(ReleaseOutcome.NotHeld, (await InTimeAsync(Store.ReleaseAsync(Leaving(_other, null), Cancellation))).Outcome);
            Assert.Equal(0, (await Node.Administration.InspectAsync(_name, 10, Cancellation)).WaiterCount);
            var several = await InTimeAsync(Store.TryAcquireAllAsync([Ask(_other, null) with { LockName = _name + "-other" }, Ask(_other, null)], Cancellation));
            Assert.All(several!, static reply => Assert.False(reply.IsGranted));
            Assert.False(await InTimeAsync(Node.Administration.ForgetOccurrenceAsync(_name, "none", Cancellation)));
            await transaction.CommitAsync(Cancellation);
        }

        Assert.True((await Store.AcquireAsync(Ask(_other, null), Cancellation)).IsGranted);
    }

    /// <summary>Its release waits for its own transaction, and lets the others go on meanwhile.</summary>
    [Fact]
    [Promise("G5", "G12")]
    public async Task A_release_before_the_end_of_its_own_transaction_holds_up_no_other_permit()
    {
        var (transaction, _) = await GuardAsync(OneOfThree);
        await using (transaction)
        {
            Assert.True((await Store.AcquireAsync(Ask(_other, OneOfThree), Cancellation)).IsGranted);
            var releasing = Store.ReleaseAsync(Leaving(_stuck, OneOfThree), Cancellation);
            for (var i = 0; i < 5; i++)
            {
                Assert.Equal([RenewalReply.Renewed], await InTimeAsync(Store.RenewAsync([Renewal(_other, OneOfThree)], Cancellation)));
                Assert.True((await InTimeAsync(Store.AcquireAsync(Ask(_third, OneOfThree), Cancellation))).IsGranted);
                Assert.Equal(ReleaseOutcome.Released, (await InTimeAsync(Store.ReleaseAsync(Leaving(_third, OneOfThree), Cancellation))).Outcome);
            }

            Assert.False(releasing.IsCompleted);
            await transaction.CommitAsync(Cancellation);
            Assert.Equal(ReleaseOutcome.Released, (await releasing.WaitAsync(Bound, Cancellation)).Outcome);
        }
    }

    [Fact]
    [Promise("G12")]
    public async Task What_is_forgotten_waits_for_no_transaction_of_a_lock_that_is_stuck()
    {
        await using var free = await Node.GetLock(_name + "-free").AcquireAsync(Cancellation);
        await free.ReleaseAsync(Cancellation);
        var (transaction, _) = await GuardAndRunOutAsync(null);
        var sweep = Node.Services.GetRequiredService<PostgreSqlLockStore>();
        await using (transaction)
        {
            await _server.ExecuteAsync($"UPDATE {_server.Schema}.locks SET forget_after = now() - interval '1 second'");
            Assert.Equal(1, await InTimeAsync(sweep.ForgetAsync(Cancellation)));
            await transaction.CommitAsync(Cancellation);
        }

        Assert.Equal(1, await sweep.ForgetAsync(Cancellation));
        Assert.Equal("0", await AskAsync($"SELECT count(*) FROM {_server.Schema}.fences"));
    }

    private static async Task<T> InTimeAsync<T>(Task<T> call)
    {
        var sentAt = TimeProvider.System.GetTimestamp();
        var reply = await call.WaitAsync(Bound, Cancellation);
        var took = TimeProvider.System.GetElapsedTime(sentAt);
        Assert.True(took < Soon, $"It took {took}.");
        return reply;
    }

    private AcquireRequest Ask(LockOwner owner, LockShare? share) =>
        new() { LockName = _name, Owner = owner, Entry = 1, LeaseDuration = TimeSpan.FromMinutes(1), ClaimWindow = TimeSpan.FromSeconds(2), Share = share };

    private ReleaseRequest Leaving(LockOwner owner, LockShare? share) => new() { LockName = _name, Owner = owner, Entry = 1, ClaimWindow = TimeSpan.FromSeconds(2), Share = share };

    private RenewalRequest Renewal(LockOwner owner, LockShare? share) => new() { LockName = _name, Owner = owner, LeaseDuration = TimeSpan.FromMinutes(1), Share = share };

    private async Task<(NpgsqlTransaction Transaction, long Token)> GuardAsync(LockShare? share, Occurrence? occurrence = null)
    {
        var token = (await Store.AcquireAsync(Ask(_stuck, share) with { Occurrence = occurrence }, Cancellation)).FencingToken!.Value;
        var request = new GuardRequest { LockName = _name, Owner = _stuck, FencingToken = token, LeaseDuration = TimeSpan.FromMinutes(1) };
        var fence = (ITransactionalFence)Store;
        Assert.True(await fence.PrepareGuardAsync(request, Cancellation));
        var transaction = await Users.BeginTransactionAsync(Cancellation);
        Assert.True(await fence.GuardAsync(request, transaction, Cancellation));
        return (transaction, token);
    }

    /// <summary>Its lease of a minute is over since two seconds.</summary>
    private async Task<(NpgsqlTransaction Transaction, long Token)> GuardAndRunOutAsync(LockShare? share, Occurrence? occurrence = null)
    {
        var guarded = await GuardAsync(share, occurrence);
        await _server.ExecuteAsync(
            $"UPDATE {_server.Schema}.{(share is null ? "locks" : "shares")} SET lasts_until = now() - interval '2 s', renewed_at = now() - interval '62 s' WHERE name = '{_name}'");
        return guarded;
    }

    private async Task<string?> AskAsync(string text)
    {
        await using var connection = await server.ConnectAsOperatorAsync();
        await using var command = new NpgsqlCommand(text, connection);
        return (await command.ExecuteScalarAsync(Cancellation))?.ToString();
    }
}
