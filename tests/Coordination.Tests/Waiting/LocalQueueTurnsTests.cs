using Coordination.Waiting;
using Microsoft.Extensions.Time.Testing;

namespace Coordination.Tests.Waiting;

/// <summary>Calls of one node for a lock that several may hold: as many have a turn as fit, and ask the store at the same time.</summary>
public sealed class LocalQueueTurnsTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(10);

    private readonly FakeTimeProvider _clock = new();
    private readonly LocalQueue _queue;

    public LocalQueueTurnsTests() => _queue = new LocalQueue(_clock);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Promise("G9")]
    public async Task As_many_calls_as_there_are_turns_go_on_and_the_others_in_the_order_they_came()
    {
        Assert.Null(_queue.Enter(turns: 2));
        Assert.Null(_queue.Enter(turns: 2));
        Task<Waiter?>[] behind = [EnterBehind(Token), EnterBehind(Token), EnterBehind(Token)];
        for (var i = 0; i < behind.Length; i++)
        {
            Assert.DoesNotContain(behind[i..], static call => call.IsCompleted);
            Assert.True(_queue.TryPassTurn(null, out var isEmpty));
            Assert.False(isEmpty);
            Assert.Null(await behind[i].WaitAsync(Bound, Token));
        }
    }

    [Fact]
    [Promise("G8")]
    public async Task A_call_that_gives_up_passes_its_place_to_the_first_behind()
    {
        _queue.Enter(turns: 2);
        _queue.Enter(turns: 2);
        var (first, second) = (EnterBehind(Token), EnterBehind(Token));
        var place = CreateWaiter();
        Assert.True(_queue.TryPassTurn(place, out _));
        Assert.Same(place, await first.WaitAsync(Bound, Token));
        Assert.False(second.IsCompleted);
    }

    [Fact]
    [Promise("G7")]
    public void The_queue_is_over_when_the_last_call_with_a_turn_has_passed_it()
    {
        _queue.Enter(turns: 3);
        _queue.Enter(turns: 3);
        Assert.False(_queue.TryPassTurn(null, out var isEmpty));
        Assert.False(isEmpty);
        Assert.Null(_queue.Enter(turns: 3));
        Assert.False(_queue.TryPassTurn(null, out isEmpty));
        Assert.False(isEmpty);
        Assert.False(_queue.TryPassTurn(null, out isEmpty));
        Assert.True(isEmpty);
    }

    /// <summary>The reply to one says nothing of the store a second later, when another still waits for its own.</summary>
    [Fact]
    [Failure("F91")]
    public void A_call_that_hears_nothing_is_told_from_those_that_had_a_reply()
    {
        _queue.AskBegins();
        _queue.AskBegins();
        _queue.AskEnds(failure: null);
        Assert.Null(_queue.FindFailure(away: null));
        _clock.Advance(TimeSpan.FromSeconds(3));
        Assert.True(_queue.FindFailure(away: null) is { IsTransient: true });
        _queue.AskEnds(failure: null);
        Assert.Null(_queue.FindFailure(away: null));
    }

    [Fact]
    [Failure("F91")]
    public void A_failure_counts_until_one_of_the_calls_has_a_reply()
    {
        var failure = new LockStoreException("The store is away.", isTransient: true);
        _queue.AskBegins();
        _queue.AskBegins();
        _queue.AskEnds(failure);
        Assert.Same(failure, _queue.FindFailure(away: null));
        _queue.AskEnds(failure: null);
        Assert.Null(_queue.FindFailure(away: null));
        _queue.AskBegins();
        _queue.AskEnds(failure);
        _queue.Clear();
        Assert.Null(_queue.FindFailure(away: null));
    }

    private static Waiter CreateWaiter() =>
        new(Requests.Acquire("work", new LockOwner("node", 1), TimeSpan.FromSeconds(15)), TimeProvider.System);

    private Task<Waiter?> EnterBehind(CancellationToken cancellationToken)
    {
        var place = _queue.Enter(turns: 2);
        Assert.NotNull(place);
        return _queue.TakeTurnAsync(place, cancellationToken);
    }
}
