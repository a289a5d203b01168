using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Testing.Tests;

/// <summary>One term of a service, as a user tests it.</summary>
public class TermHarnessTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    [Failure("F60")]
    public async Task The_import_stops_when_its_lease_is_lost()
    {
        await using var harness = await TermHarness.StartAsync<Import>(services => services.AddSingleton(new Progress()), Cancellation);
        Assert.False(harness.Completion.IsCompleted);
        Assert.Same(harness.Service, harness.Services.GetRequiredService<Import>());

        await harness.LoseLeaseAsync(Cancellation);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => harness.Completion.WaitAsync(TimeSpan.FromMinutes(1), Cancellation));
        Assert.Equal(LeaseState.Lost, harness.Term.State);
    }

    [Fact]
    [Failure("F60", "F63")]
    public async Task A_stop_awaits_the_work_and_releases_the_lock()
    {
        var progress = new Progress();
        await using var harness = await TermHarness.StartAsync<Import>(services => services.AddSingleton(progress), Cancellation);
        var stop = harness.StopAsync(Cancellation);
        Assert.False(stop.IsCompleted);
        progress.Saved.SetResult();
        await stop.WaitAsync(TimeSpan.FromMinutes(1), Cancellation);
        Assert.True(harness.Completion.IsCompleted);
        Assert.Equal(LeaseState.Released, harness.Term.State);
        Assert.Null(await harness.Store.GetHolderAsync(harness.Term.LockName, Cancellation));
    }

    [Fact]
    [Failure("F60")]
    public async Task What_the_work_throws_is_thrown_to_the_test_and_there_is_one_term()
    {
        var progress = new Progress();
        progress.Saved.SetException(new TimeoutException("The disk is slow."));
        await using var harness = await TermHarness.StartAsync<Import>(services => services.AddSingleton(progress), Cancellation);
        harness.Term.StepDown();
        await Assert.ThrowsAsync<TimeoutException>(() => harness.Completion.WaitAsync(TimeSpan.FromMinutes(1), Cancellation));
        Assert.Equal(1, progress.Terms);
    }

    [Theory]
    [Failure("F60")]
    [InlineData(0, 1, 1)]
    [InlineData(0, 4, 4)]
    [InlineData(2, 1, 3)]
    [InlineData(2, 5, 5)]
    public async Task A_term_has_the_instance_number_that_it_was_asked_for(int instance, int set, int instances)
    {
        await using var harness = await TermHarness.StartAsync<Import>(
            instance, services => services.AddSingleton(new Progress()).Configure<ExclusiveServiceOptions>(o => o.Instances = set), Cancellation);
        Assert.Equal(instance, harness.Term.Instance);
        var inspected = await harness.Store.InspectAsync(harness.Term.LockName, 0, Cancellation);
        Assert.Equal((instances == 1 ? LockCapacity.Exclusive : LockCapacity.Semaphore(instances), instance + 1), (inspected.Capacity, inspected.Holders.Count));
        Assert.True(inspected.Holders.Max(holder => holder.FencingToken) == harness.Term.FencingToken);

        await harness.LoseLeaseAsync(Cancellation);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => harness.Completion.WaitAsync(TimeSpan.FromSeconds(20), Cancellation));
    }

    [Theory]
    [Failure("F60")]
    [InlineData(-1)]
    [InlineData(LockCapacity.MaxPermits)]
    public async Task An_instance_number_that_cannot_be_is_refused(int instance)
    {
        var error = await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => TermHarness.StartAsync<Import>(instance, cancellationToken: Cancellation));
        Assert.Contains("from 0 to 9999", error.Message, StringComparison.Ordinal);
    }

    private sealed class Progress
    {
        public TaskCompletionSource Saved { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Terms { get; set; }
    }

    private sealed class Import(Progress progress) : ExclusiveBackgroundService
    {
        protected override async Task ExecuteExclusiveAsync(ExclusiveTerm term, CancellationToken stoppingToken)
        {
            progress.Terms++;
            await Task.Delay(Timeout.InfiniteTimeSpan, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (term.State != LeaseState.Lost)
            {
                await progress.Saved.Task;
            }

            stoppingToken.ThrowIfCancellationRequested();
        }
    }
}
