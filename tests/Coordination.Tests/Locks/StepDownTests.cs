using Coordination.Stores;
using Coordination.Testing;
using Coordination.TestKit.Nodes;
using Coordination.TestKit.Stores;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Coordination.Tests.Locks;

/// <summary>Holders that are asked to step down: who asks, what they hear, and who has the lock next.</summary>
public sealed class StepDownTests : IAsyncDisposable
{
    private static readonly TimeSpan AWhile = TimeSpan.FromSeconds(5);

    private readonly ClockedNode _node = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private ILockInspector Inspector => _node.Services.GetRequiredService<ILockInspector>();

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    [Fact]
    [Promise("G14")]
    public async Task The_holder_hears_what_it_is_asked_and_who_asks_that_it_has_stepped_down()
    {
        var lease = await _node.AcquireAsync();
        var readOnly = lease.AsReadOnly();
        Assert.Null(lease.StepDownRequest);
        Assert.False(lease.StepDownRequested.IsCancellationRequested);
        var asking = Inspector.StepDownAsync("work", "grace", TimeSpan.FromSeconds(3), cancellationToken: Token);
        Assert.True(_node.AdvanceUntil(() => lease.StepDownRequested.IsCancellationRequested, AWhile));
        Assert.Equal(new StepDownRequest { StayAway = TimeSpan.FromSeconds(3), Successor = "grace" }, lease.StepDownRequest! with { Call = 0 });
        Assert.Equal((lease.StepDownRequested, lease.StepDownRequest), (readOnly.StepDownRequested, readOnly.StepDownRequest));

        // Nothing is taken from it.
        _node.Advance(AWhile);
        Assert.Equal(LeaseState.Held, lease.State);
        Assert.False(asking.IsCompleted);
        Assert.Equal(ReleaseResult.Released, await lease.ReleaseAsync(lease.StepDownRequest?.Successor, Token));
        Assert.True(_node.AdvanceUntil(() => asking.IsCompleted, AWhile));
        Assert.Equal(StepDownResult.SteppedDown, await asking);
        Assert.DoesNotContain(_node.Logs.GetSnapshot(), line => line.Level >= LogLevel.Warning);
    }

    [Fact]
    [Promise("G14")]
    public async Task Who_asks_again_takes_back_nothing_that_another_asked_since()
    {
        await using var lease = await _node.AcquireAsync();
        var first = Inspector.StepDownAsync("work", "grace", TimeSpan.FromSeconds(9), cancellationToken: Token);
        Assert.True(_node.AdvanceUntil(() => lease.StepDownRequest is not null, AWhile));
        var second = Inspector.StepDownAsync("work", "edith", TimeSpan.FromSeconds(1), cancellationToken: Token);
        Assert.True(_node.AdvanceUntil(() => lease.StepDownRequest?.Successor == "edith", AWhile));
        var asked = _node.Store.GetCallCount(StoreOperation.StepDown);

        // Both ask each second, in turn.
        for (var i = 0; i < 20; i++)
        {
            _node.Advance(TimeSpan.FromMilliseconds(250));
            Assert.Equal(("edith", TimeSpan.FromSeconds(1)), (lease.StepDownRequest?.Successor, lease.StepDownRequest!.StayAway));
        }

        Assert.InRange(_node.Store.GetCallCount(StoreOperation.StepDown) - asked, 8, 16);

        // Who names nobody, and no time, leaves that to those who did.
        Assert.Equal(StepDownResult.StillHeld, await Inspector.StepDownAsync("work", timeout: TimeSpan.Zero, cancellationToken: Token));
        Assert.Equal(("edith", TimeSpan.FromSeconds(1)), (lease.StepDownRequest?.Successor, lease.StepDownRequest!.StayAway));
        await lease.ReleaseAsync(Token);
        Assert.True(_node.AdvanceUntil(() => first.IsCompleted && second.IsCompleted, AWhile));
        Assert.Equal([StepDownResult.SteppedDown, StepDownResult.SteppedDown], await Task.WhenAll(first, second));
    }

    [Fact]
    [Promise("G7", "G14")]
    public async Task What_was_lost_on_its_way_is_asked_again_each_second()
    {
        await using var lease = await _node.AcquireAsync();
        _node.Store.DropNotifications = true;
        var asking = Inspector.StepDownAsync("work", timeout: Timeout.InfiniteTimeSpan, cancellationToken: Token);
        _node.Advance(TimeSpan.FromSeconds(3));
        Assert.False(lease.StepDownRequested.IsCancellationRequested);
        var asked = _node.Store.GetCallCount(StoreOperation.StepDown);
        _node.Advance(TimeSpan.FromSeconds(10));
        Assert.InRange(_node.Store.GetCallCount(StoreOperation.StepDown) - asked, 8, 11);
        _node.Store.DropNotifications = false;
        Assert.True(_node.AdvanceUntil(() => lease.StepDownRequested.IsCancellationRequested, TimeSpan.FromSeconds(1.1)));
        await lease.ReleaseAsync(Token);
        Assert.True(_node.AdvanceUntil(() => asking.IsCompleted, AWhile));
        Assert.Equal(StepDownResult.SteppedDown, await asking);
    }

    [Fact]
    [Promise("G14")]
    [Failure("F1")]
    public async Task A_store_that_goes_away_after_it_was_asked_is_waited_for()
    {
        var lease = await _node.AcquireAsync();
        var asking = Inspector.StepDownAsync("work", cancellationToken: Token);
        Assert.True(_node.AdvanceUntil(() => lease.StepDownRequested.IsCancellationRequested, AWhile));
        _node.Store.IsAway = true;
        _node.Advance(TimeSpan.FromSeconds(2));
        Assert.False(asking.IsCompleted);
        _node.Store.IsAway = false;
        await lease.ReleaseAsync(Token);
        Assert.True(_node.AdvanceUntil(() => asking.IsCompleted, TimeSpan.FromSeconds(30)));
        Assert.Equal(StepDownResult.SteppedDown, await asking);
    }

    [Fact]
    public async Task When_the_time_is_up_the_lock_is_held_still_and_without_a_holder_nobody_is_asked()
    {
        Assert.Equal(StepDownResult.NotHeld, await Inspector.StepDownAsync("work", cancellationToken: Token));
        await using var lease = await _node.AcquireAsync();
        Assert.Equal(StepDownResult.NotHeld, await Inspector.StepDownAsync("work", fencingToken: lease.FencingToken - 1, cancellationToken: Token));
        Assert.Equal(0, _node.Store.GetCallCount(StoreOperation.StepDown));
        Assert.Equal(StepDownResult.StillHeld, await Inspector.StepDownAsync("work", fencingToken: lease.FencingToken, timeout: TimeSpan.Zero, cancellationToken: Token));
        Assert.Equal(1, _node.Store.GetCallCount(StoreOperation.StepDown));
        var asking = Inspector.StepDownAsync("work", timeout: TimeSpan.FromSeconds(3), cancellationToken: Token);
        _node.Advance(TimeSpan.FromSeconds(2.5));
        Assert.False(asking.IsCompleted);
        Assert.True(_node.AdvanceUntil(() => asking.IsCompleted, TimeSpan.FromSeconds(1)));
        Assert.Equal(StepDownResult.StillHeld, await asking);
    }

    [Theory]
    [Promise("G14")]
    [Failure("F91")]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_store_without_a_reply_to_the_first_question_holds_nobody_up_beyond_the_time(int replies)
    {
        var inner = new ControllableLockStore(_node.Clock);
        await using var node = new ClockedNode(_node.Clock, inner, actualStore: new RepliesTo(inner, replies));
        await using var lease = await node.AcquireAsync();
        var asking = node.Services.GetRequiredService<ILockInspector>().StepDownAsync("work", timeout: TimeSpan.FromSeconds(2), cancellationToken: Token);
        node.Advance(TimeSpan.FromSeconds(1.5));
        Assert.False(asking.IsCompleted);
        Assert.True(node.AdvanceUntil(() => asking.IsCompleted, TimeSpan.FromSeconds(1)), "It was asked on after the time.");
        var error = await Assert.ThrowsAsync<LockStoreException>(() => asking);
        Assert.True(error.IsTransient);
        Assert.Contains("the lock 'work' could not be asked to step down, and the time of 00:00:02 is up", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Promise("G14")]
    [Failure("F91")]
    public async Task A_store_that_replies_no_more_to_who_asks_again_ends_with_the_time_too()
    {
        await using var lease = await _node.AcquireAsync();
        var asking = Inspector.StepDownAsync("work", timeout: TimeSpan.FromSeconds(3), cancellationToken: Token);
        Assert.True(_node.AdvanceUntil(() => lease.StepDownRequested.IsCancellationRequested, AWhile));
        _node.Store.Hang = true;
        _node.Advance(TimeSpan.FromSeconds(2));
        Assert.False(asking.IsCompleted);
        Assert.True(_node.AdvanceUntil(() => asking.IsCompleted, TimeSpan.FromSeconds(1.5)), "It was asked on after the time.");
        Assert.Equal(StepDownResult.StillHeld, await asking);
        _node.Store.Hang = false;
    }

    [Fact]
    [Promise("G14")]
    public async Task Who_steps_down_shortly_before_the_time_is_up_is_seen_to_have_done_so()
    {
        var lease = await _node.AcquireAsync();
        var asking = Inspector.StepDownAsync("work", timeout: TimeSpan.FromSeconds(3), cancellationToken: Token);
        _node.Advance(TimeSpan.FromSeconds(2.6));
        Assert.False(asking.IsCompleted);
        await lease.ReleaseAsync(Token);
        Assert.True(_node.AdvanceUntil(() => asking.IsCompleted, TimeSpan.FromSeconds(1)));
        Assert.Equal(StepDownResult.SteppedDown, await asking);
    }

    [Fact]
    public async Task A_cancelled_question_ends_and_what_was_asked_stays_asked()
    {
        await using var lease = await _node.AcquireAsync();
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var asking = Inspector.StepDownAsync("work", cancellationToken: leaving.Token);
        Assert.True(_node.AdvanceUntil(() => lease.StepDownRequested.IsCancellationRequested, AWhile));
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
        Assert.NotNull(lease.StepDownRequest);
    }

    [Fact]
    [Promise("G14")]
    public async Task A_node_is_named_by_its_id_or_by_its_name_and_the_lock_passes_to_it()
    {
        await using var second = Other("eu");
        await using var third = Other("eu-west");
        foreach (var name in (string[])["eu-west", third.Provider.NodeId])
        {
            var lease = await _node.AcquireAsync();
            var (waiting, alsoWaiting) = (second.AcquireAsync(), third.AcquireAsync());
            Assert.True(_node.AdvanceUntil(() => _node.Store.InspectAsync("work", 10, Token).Result.WaiterCount == 2, AWhile));
            var asking = Inspector.StepDownAsync("work", name, cancellationToken: Token);
            Assert.True(_node.AdvanceUntil(() => lease.StepDownRequested.IsCancellationRequested, AWhile));
            Assert.Equal(third.Provider.NodeId, lease.StepDownRequest!.Successor);
            await lease.ReleaseAsync(lease.StepDownRequest.Successor, Token);
            Assert.True(_node.AdvanceUntil(() => asking.IsCompleted && alsoWaiting.IsCompleted, AWhile));
            Assert.False(waiting.IsCompleted);
            await (await alsoWaiting).ReleaseAsync(Token);
            Assert.True(_node.AdvanceUntil(() => waiting.IsCompleted, AWhile));
            await (await waiting).ReleaseAsync(Token);
        }
    }

    [Fact]
    public async Task Who_is_asked_again_has_what_it_was_asked_last_and_one_that_ended_hears_nothing()
    {
        var lease = await _node.AcquireAsync();
        await Inspector.StepDownAsync("work", "ada", timeout: TimeSpan.Zero, cancellationToken: Token);
        await Inspector.StepDownAsync("work", "bob", timeout: TimeSpan.Zero, cancellationToken: Token);
        Assert.Equal("bob", lease.StepDownRequest?.Successor);

        // The token was read by nobody until now.
        Assert.True(lease.StepDownRequested.IsCancellationRequested);

        _node.Store.LoseLock("work");
        await lease.RenewAsync(Token);
        Assert.Equal(LeaseState.Lost, lease.State);
        await using var next = await _node.AcquireAsync();
        Assert.Null(next.StepDownRequest);
        await Inspector.StepDownAsync("work", timeout: TimeSpan.Zero, cancellationToken: Token);
        Assert.NotNull(next.StepDownRequest);
        Assert.Equal("bob", lease.StepDownRequest?.Successor);
    }

    [Fact]
    public async Task A_callback_that_throws_is_logged_and_reaches_nobody_else()
    {
        await using var lease = await _node.AcquireAsync();
        lease.StepDownRequested.Register(() => throw new InvalidOperationException("a callback"));
        await Inspector.StepDownAsync("work", timeout: TimeSpan.Zero, cancellationToken: Token);
        Assert.True(SpinWait.SpinUntil(() => _node.Logs.GetSnapshot().Any(line => line.Id.Id == 1017), TimeSpan.FromSeconds(30)));
        Assert.Equal(LeaseState.Held, lease.State);
    }

    [Fact]
    public async Task Each_holder_of_a_semaphore_is_asked_or_the_one_of_a_token()
    {
        var semaphore = _node.Provider.GetSemaphore("work", 3);
        var leases = new[] { await semaphore.AcquireAsync(Token), await semaphore.AcquireAsync(Token), await semaphore.AcquireAsync(Token) };
        await Inspector.StepDownAsync("work", fencingToken: leases[1].FencingToken, timeout: TimeSpan.Zero, cancellationToken: Token);
        Assert.Equal([false, true, false], leases.Select(lease => lease.StepDownRequest is not null));
        var asking = Inspector.StepDownAsync("work", cancellationToken: Token);
        Assert.True(_node.AdvanceUntil(() => leases.All(lease => lease.StepDownRequest is not null), AWhile));
        foreach (var lease in leases)
        {
            Assert.False(asking.IsCompleted);
            await lease.ReleaseAsync(Token);
        }

        Assert.True(_node.AdvanceUntil(() => asking.IsCompleted, AWhile));
        Assert.Equal(StepDownResult.SteppedDown, await asking);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a/b")]
    [InlineData("a\nb")]
    public async Task What_can_be_no_node_is_refused_and_nothing_is_asked_or_released(string node)
    {
        await using var lease = await _node.AcquireAsync();
        var error = await Assert.ThrowsAsync<ArgumentException>(() => Inspector.StepDownAsync("work", node, cancellationToken: Token));
        Assert.Equal("successor", error.ParamName);
        error = await Assert.ThrowsAsync<ArgumentException>(() => lease.ReleaseAsync(node, Token));
        Assert.Equal("successor", error.ParamName);
        Assert.Throws<ArgumentException>(() => new StepDownRequest { Successor = node });
        Assert.Equal(LeaseState.Held, lease.State);
        Assert.Equal(0, _node.Store.GetCallCount(StoreOperation.StepDown));
    }

    [Fact]
    public async Task A_name_is_needed_and_a_successor_that_is_unknown_is_as_none()
    {
        await Assert.ThrowsAsync<ArgumentNullException>(() => Inspector.StepDownAsync(null!, cancellationToken: Token));
        await Assert.ThrowsAsync<ArgumentNullException>(() => _node.Store.AskToStepDownAsync(null!, 1, new StepDownRequest(), Token));
        await Assert.ThrowsAsync<ArgumentNullException>(() => _node.Store.AskToStepDownAsync("work", 1, null!, Token));
        await using var second = Other("second");
        var lease = await _node.AcquireAsync();
        var waiting = second.AcquireAsync();
        Assert.True(_node.AdvanceUntil(() => _node.Store.InspectAsync("work", 1, Token).Result.WaiterCount == 1, AWhile));
        Assert.Equal(ReleaseResult.Released, await lease.ReleaseAsync("nobody", Token));
        Assert.Equal(ReleaseResult.AlreadyReleased, await lease.ReleaseAsync("somebody", Token));
        Assert.True(_node.AdvanceUntil(() => waiting.IsCompleted, AWhile));
        await (await waiting).ReleaseAsync(Token);
    }

    [Fact]
    public async Task A_store_that_cannot_ask_says_so_in_a_sentence()
    {
        var inner = new ControllableLockStore(_node.Clock);
        await using var node = new ClockedNode(_node.Clock, inner, actualStore: new CannotAsk(inner));
        await using var lease = await node.AcquireAsync();
        var error = await Assert.ThrowsAsync<NotSupportedException>(() => node.Services.GetRequiredService<ILockInspector>().StepDownAsync("work", cancellationToken: Token));
        Assert.Contains(nameof(ILockStoreAdministration.AskToStepDownAsync), error.Message, StringComparison.Ordinal);
    }

    private ClockedNode Other(string name) => new(_node.Clock, _node.Store, services => services.Configure<CoordinationOptions>(options => options.NodeName = name));

    /// <summary>As a store of an older version.</summary>
    private sealed class CannotAsk(ILockStore inner) : DelegatingLockStore(inner), ILockStoreAdministration
    {
        Task<bool> ILockStoreAdministration.AskToStepDownAsync(string lockName, long fencingToken, StepDownRequest request, CancellationToken cancellationToken) =>
            ((ILockStoreAdministration)new OlderStore()).AskToStepDownAsync(lockName, fencingToken, request, cancellationToken);
    }

    /// <summary>To so many of the questions of an operator, and to no other.</summary>
    private sealed class RepliesTo(ILockStore inner, int replies) : DelegatingLockStore(inner)
    {
        private int _asked;

        public override async Task<LockInspection> InspectAsync(string lockName, int maxWaiters, CancellationToken cancellationToken)
        {
            await ReplyAsync(cancellationToken);
            return await base.InspectAsync(lockName, maxWaiters, cancellationToken);
        }

        public override async Task<bool> AskToStepDownAsync(string lockName, long fencingToken, StepDownRequest request, CancellationToken cancellationToken)
        {
            await ReplyAsync(cancellationToken);
            return await base.AskToStepDownAsync(lockName, fencingToken, request, cancellationToken);
        }

        private Task ReplyAsync(CancellationToken cancellationToken) =>
            Interlocked.Increment(ref _asked) <= replies ? Task.CompletedTask : new TaskCompletionSource().Task.WaitAsync(cancellationToken);
    }

    private sealed class OlderStore : ILockStoreAdministration
    {
        public Task<LockHolder?> GetHolderAsync(string lockName, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<LockInspection> InspectAsync(string lockName, int maxWaiters, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<LockPage> ListAsync(string? cursor, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<bool> RevokeAsync(string lockName, long fencingToken, TimeSpan claimWindow, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task PingAsync(CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
