using Coordination.TestKit.Clocks;
using Coordination.Time;

namespace Coordination.Tests.Time;

public sealed class BoundedWaitTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);

    private readonly TestClock _clock = new();
    private readonly TaskCompletionSource<int> _call = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_call_that_completes_in_time_passes_its_result_on_and_leaves_no_timer()
    {
        var waiting = _call.Task.WithinAsync(Limit, _clock, cancellationToken: Cancellation);
        Assert.Equal(1, _clock.Asleep);
        _call.SetResult(42);
        Assert.Equal(42, await waiting.WaitAsync(Bound, Cancellation));
        Assert.Equal(0, _clock.Asleep);
    }

    [Fact]
    public async Task A_call_that_fails_passes_its_exception_on()
    {
        var waiting = _call.Task.WithinAsync(Limit, _clock, cancellationToken: Cancellation);
        _call.SetException(new InvalidOperationException("No."));
        await Assert.ThrowsAsync<InvalidOperationException>(() => waiting.WaitAsync(Bound, Cancellation));
    }

    [Fact]
    public async Task A_call_that_takes_longer_goes_on_alone()
    {
        var waiting = _call.Task.WithinAsync(Limit, _clock, cancellationToken: Cancellation);
        _clock.Advance(Limit);
        await Assert.ThrowsAsync<TimeoutException>(() => waiting.WaitAsync(Bound, Cancellation));

        // What becomes of it then reaches nobody.
        _call.SetException(new InvalidOperationException("Too late."));
        Assert.True(waiting.IsFaulted);
    }

    [Fact]
    public async Task A_token_ends_the_wait_and_is_the_one_that_is_named()
    {
        using var cancelling = new CancellationTokenSource();
        var waiting = _call.Task.WithinAsync(Limit, _clock, cancellationToken: cancelling.Token);
        await cancelling.CancelAsync();
        var error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(Bound, Cancellation));
        Assert.Equal(cancelling.Token, error.CancellationToken);
    }

    [Fact]
    public void What_is_done_already_or_has_no_bound_is_not_waited_for_by_another_task()
    {
        Assert.Same(_call.Task, _call.Task.WithinAsync(Timeout.InfiniteTimeSpan, _clock, cancellationToken: CancellationToken.None));
        var done = Task.FromResult(1);
        Assert.Same(done, done.WithinAsync(Limit, _clock, cancellationToken: Cancellation));
        Assert.Equal(0, _clock.TimersCreated);
    }

    /// <summary>As the reply of a store comes on its reader's thread: no thread of the pool is needed to go on.</summary>
    [Fact]
    public void Who_completes_the_call_goes_on_with_its_caller()
    {
        var wentOnAt = 0;
        var waiting = ContinueAsync();
        var thread = new Thread(() => _call.SetResult(42));
        thread.Start();
        Assert.True(thread.Join(Bound));
        Assert.True(waiting.IsCompletedSuccessfully);
        Assert.Equal(thread.ManagedThreadId, wentOnAt);

        async Task ContinueAsync()
        {
            await _call.Task.WithinAsync(Limit, _clock, cancellationToken: Cancellation).ConfigureAwait(false);
            wentOnAt = Environment.CurrentManagedThreadId;
        }
    }
}
