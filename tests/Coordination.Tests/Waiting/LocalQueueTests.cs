using Coordination.Waiting;

namespace Coordination.Tests.Waiting;

/// <summary>The calls of one node for one lock: who has the turn, who stands behind it, and what becomes of those who leave.</summary>
public sealed class LocalQueueTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);

    private readonly LocalQueue _queue = new(TimeProvider.System);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void The_first_call_has_the_turn_at_once_and_later_ones_stand_behind_it()
    {
        var first = _queue.Enter(turns: 1);
        Assert.Null(first);
        Assert.False(EnterBehind(Token).IsCompleted);
        Assert.False(EnterBehind(Token).IsCompleted);
    }

    [Fact]
    [Promise("G9")]
    public async Task The_turn_goes_to_one_call_at_a_time_in_the_order_in_which_they_came()
    {
        _queue.Enter(turns: 1);
        Task<Waiter?>[] behind = [EnterBehind(Token), EnterBehind(Token), EnterBehind(Token)];
        for (var i = 0; i < behind.Length; i++)
        {
            Assert.True(_queue.TryPassTurn(null, out _));
            Assert.Null(await behind[i].WaitAsync(Bound, Token));
            Assert.DoesNotContain(behind[(i + 1)..], static call => call.IsCompleted);
        }
    }

    [Fact]
    public async Task The_next_call_goes_on_with_the_waiter_of_the_one_before()
    {
        _queue.Enter(turns: 1);
        var next = EnterBehind(Token);
        var waiter = CreateWaiter();
        Assert.True(_queue.TryPassTurn(waiter, out _));
        Assert.Same(waiter, await next.WaitAsync(Bound, Token));
    }

    /// <summary>It would wait for a turn that nobody passes on.</summary>
    [Fact]
    [Promise("G7")]
    public void Whoever_comes_when_the_last_call_has_left_has_the_turn_at_once()
    {
        _queue.Enter(turns: 1);
        Assert.False(_queue.TryPassTurn(CreateWaiter(), out _));
        Assert.Null(_queue.Enter(turns: 1));
    }

    [Fact]
    [Promise("G8")]
    public async Task A_cancelled_call_leaves_its_place_and_the_turn_goes_to_the_one_behind_it()
    {
        _queue.Enter(turns: 1);
        using var cancellation = new CancellationTokenSource();
        var cancelled = EnterBehind(cancellation.Token);
        var next = EnterBehind(Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled.WaitAsync(Bound, Token));
        Assert.True(_queue.TryPassTurn(null, out _));
        Assert.Null(await next.WaitAsync(Bound, Token));
    }

    [Fact]
    [Promise("G8")]
    public async Task A_queue_that_only_cancelled_calls_stood_in_is_over_with_its_first()
    {
        _queue.Enter(turns: 1);
        using var cancellation = new CancellationTokenSource();
        var cancelled = EnterBehind(cancellation.Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled.WaitAsync(Bound, Token));
        Assert.False(_queue.TryPassTurn(null, out _));
    }

    [Fact]
    [Promise("G8")]
    [Failure("F5")]
    public async Task A_call_that_is_cancelled_in_the_moment_its_turn_comes_has_the_turn()
    {
        _queue.Enter(turns: 1);
        var place = _queue.Enter(turns: 1);

        // Passing the turn runs what waits for it at once, the cancellation before the call itself.
        place!.Value = new TaskCompletionSource<Waiter?>();
        using var cancellation = new CancellationTokenSource();
        Task<Waiter?>? call = null;
        var cancelling = place.Value.Task.ContinueWith(
            _ =>
            {
                cancellation.Cancel();
                Assert.True(SpinWait.SpinUntil(() => call!.IsCompleted, Bound), "The cancellation did not end the wait.");
            },
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
        call = _queue.TakeTurnAsync(place, cancellation.Token);
        var waiter = CreateWaiter();
        Assert.True(_queue.TryPassTurn(waiter, out _));
        await cancelling;
        Assert.Same(waiter, await call);

        // It has the turn, so it is the one to pass it on.
        Assert.False(_queue.TryPassTurn(waiter, out _));
    }

    [Fact]
    public async Task An_error_ends_the_calls_that_stand_behind_and_leaves_the_turn_with_the_first()
    {
        _queue.Enter(turns: 1);
        Task<Waiter?>[] behind = [EnterBehind(Token), EnterBehind(Token)];
        var error = new LockStoreException("The store refuses.", isTransient: false);
        _queue.Fail(error);
        foreach (var call in behind)
        {
            Assert.Same(error, await Assert.ThrowsAsync<LockStoreException>(() => call.WaitAsync(Bound, Token)));
        }

        // Who comes after the error stands behind the first still.
        var next = EnterBehind(Token);
        Assert.True(_queue.TryPassTurn(null, out _));
        Assert.Null(await next.WaitAsync(Bound, Token));
        Assert.False(_queue.TryPassTurn(null, out _));
    }

    private static Waiter CreateWaiter() =>
        new(Requests.Acquire("work", new LockOwner("node", 1), TimeSpan.FromSeconds(15)), TimeProvider.System);

    private Task<Waiter?> EnterBehind(CancellationToken cancellationToken)
    {
        var place = _queue.Enter(turns: 1);
        Assert.NotNull(place);
        return _queue.TakeTurnAsync(place, cancellationToken);
    }
}
