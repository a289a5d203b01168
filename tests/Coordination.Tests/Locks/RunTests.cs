using Coordination.Tests.Leases;

namespace Coordination.Tests.Locks;

public sealed class RunTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Work_runs_while_the_lock_is_held_and_gives_its_result()
    {
        await using var node = new TestNode();
        var result = await node.Provider.RunAsync(
            "work",
            async (lease, token) =>
            {
                await Task.Yield();
                Assert.Equal(("work", LeaseState.Held, false), (lease.LockName, lease.State, token.IsCancellationRequested));
                Assert.Equal(lease.FencingToken, (await node.Store.GetHolderAsync("work", Token))!.FencingToken);
                Assert.False(lease is ILockLease);
                return 42;
            },
            cancellationToken: Token);
        Assert.Equal(42, result);
        Assert.Null(await node.Store.GetHolderAsync("work", Token));
    }

    [Fact]
    public async Task Work_waits_for_its_turn_and_one_try_runs_nothing_meanwhile()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync();
        var ran = false;
        Assert.False(await node.Provider.TryRunAsync("work", (_, _) => Task.FromResult(ran = true), cancellationToken: Token));
        Assert.False(ran);

        var running = node.Provider.RunAsync("work", (_, _) => Task.FromResult(ran = true), cancellationToken: Token);
        Assert.False(running.IsCompleted);
        await lease.ReleaseAsync(Token);
        await running;
        Assert.True(ran);
        Assert.True(await node.Provider.TryRunAsync("work", (_, _) => Task.CompletedTask, cancellationToken: Token));
        Assert.Null(await node.Store.GetHolderAsync("work", Token));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_work_throws_is_thrown_when_the_lock_is_released(bool atOnce)
    {
        await using var node = new TestNode();
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => node.Provider.RunAsync(
            "work",
            (_, _) => atOnce ? throw new InvalidOperationException("mine") : Task.FromException(new InvalidOperationException("mine")),
            cancellationToken: Token));
        Assert.Equal("mine", error.Message);
        Assert.Null(await node.Store.GetHolderAsync("work", Token));
    }

    [Fact]
    [Promise("G2")]
    public async Task Work_is_told_of_the_loss_and_the_loss_is_what_is_thrown()
    {
        await using var node = new TestNode();
        var waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var running = node.Provider.RunAsync(
            "work",
            async (_, token) =>
            {
                waiting.SetResult();
                await Task.Delay(Timeout.Infinite, token);
            },
            cancellationToken: Token);
        await waiting.Task;
        node.Store.FailRenewals = true;
        Assert.True(node.AdvanceUntil(() => running.IsCompleted, TimeSpan.FromSeconds(13)));
        var error = await Assert.ThrowsAsync<LeaseLostException>(() => running);
        Assert.Equal(("work", LeaseLossReason.DeadlinePassed), (error.LockName, error.Reason));
        Assert.IsAssignableFrom<OperationCanceledException>(error.InnerException);
    }

    /// <summary>Another may have run at the same time.</summary>
    [Fact]
    public async Task Work_that_minds_no_loss_is_not_taken_for_done()
    {
        await using var node = new TestNode();
        await Assert.ThrowsAsync<LeaseLostException>(() => node.Provider.TryRunAsync("work", LoseAsync, cancellationToken: Token));

        async Task LoseAsync(ILease lease, CancellationToken token)
        {
            node.Store.FailRenewals = true;
            await Task.Run(() => node.AdvanceUntil(() => lease.Lost.IsCancellationRequested, TimeSpan.FromSeconds(13)), Token);
        }
    }

    [Fact]
    public async Task What_work_throws_after_a_loss_is_thrown_as_it_is()
    {
        await using var node = new TestNode();
        await Assert.ThrowsAsync<InvalidOperationException>(() => node.Provider.RunAsync("work", FailAsync, cancellationToken: Token));

        async Task FailAsync(ILease lease, CancellationToken token)
        {
            node.Store.FailRenewals = true;
            await Task.Run(() => node.AdvanceUntil(() => lease.Lost.IsCancellationRequested, TimeSpan.FromSeconds(13)), Token);
            throw new InvalidOperationException("mine");
        }
    }

    [Fact]
    [Promise("G8")]
    public async Task A_caller_that_cancels_ends_the_work_and_gets_its_own_token()
    {
        await using var node = new TestNode();
        using var calling = new CancellationTokenSource();
        var running = node.Provider.RunAsync("work", (_, token) => Task.Delay(Timeout.Infinite, token), cancellationToken: calling.Token);
        Assert.True(SpinWait.SpinUntil(() => node.Store.Count == 1, TimeSpan.FromMinutes(1)));
        await calling.CancelAsync();
        var error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.Equal(calling.Token, error.CancellationToken);
        Assert.Null(await node.Store.GetHolderAsync("work", Token));

        var ran = false;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => node.Provider.RunAsync("work", (_, _) => Task.FromResult(ran = true), cancellationToken: calling.Token));
        Assert.False(ran);
    }

    /// <summary>A timeout of its own, or a part of it that was cancelled, is no loss.</summary>
    [Fact]
    public async Task A_cancellation_of_the_works_own_is_thrown_as_it_is()
    {
        await using var node = new TestNode();
        await Assert.ThrowsAsync<TaskCanceledException>(() => node.Provider.RunAsync("work", (_, _) => Task.FromCanceled(new CancellationToken(true)), cancellationToken: Token));
    }

    /// <summary>With an exhausted pool a token that links the loss would be late.</summary>
    [Fact]
    public async Task Without_a_token_of_the_caller_work_gets_that_of_the_loss_itself()
    {
        await using var node = new TestNode();
        await node.Provider.RunAsync("work", (lease, token) =>
        {
            Assert.Equal(lease.Lost, token);
            return Task.CompletedTask;
        }, cancellationToken: CancellationToken.None);
    }
}
