using Coordination.Testing;
using Coordination.Tests.Leases;
using Microsoft.Extensions.DependencyInjection;
using Polly;
using Polly.Retry;

namespace Coordination.Tests.Resilience;

public sealed class PipelineTests
{
    [Fact]
    public async Task A_pipeline_that_is_registered_under_the_name_replaces_the_default_one()
    {
        await using var node = new TestNode(configure: services => services.AddResiliencePipeline(CoordinationPipelines.Acquisition, (_, _) => { }));
        node.Store.IsAway = true;
        await Assert.ThrowsAsync<LockStoreException>(() => node.Provider.GetLock("work").TryAcquireAsync(TestContext.Current.CancellationToken));
        Assert.Equal(1, node.Store.GetCallCount(StoreOperation.Acquire));
    }

    [Fact]
    public async Task A_transient_failure_is_retried_by_default_for_about_a_second()
    {
        await using var node = new TestNode();
        node.Store.IsAway = true;
        var trying = node.Provider.GetLock("work").TryAcquireAsync(TestContext.Current.CancellationToken);
        Assert.True(node.AdvanceUntil(() => trying.IsCompleted, TimeSpan.FromSeconds(1.5)));
        Assert.True((await Assert.ThrowsAsync<LockStoreException>(() => trying)).IsTransient);
        Assert.InRange(node.Store.GetCallCount(StoreOperation.Acquire), 3, 4);
    }

    /// <summary>The pipeline that the README shows.</summary>
    [Fact]
    [Failure("F91")]
    public async Task With_the_pipeline_of_the_documentation_a_single_try_does_not_last_for_long()
    {
        await using var node = new TestNode(configure: services => services.AddResiliencePipeline(CoordinationPipelines.Acquisition, (pipeline, context) =>
        {
            pipeline.TimeProvider = context.ServiceProvider.GetRequiredService<TimeProvider>();
            pipeline.AddRetry(new RetryStrategyOptions
            {
                MaxRetryAttempts = 5,
                Delay = TimeSpan.FromMilliseconds(50),
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                ShouldHandle = new PredicateBuilder().Handle<LockStoreException>(error => error.IsTransient),
            });
        }));
        node.Store.IsAway = true;
        var trying = node.Provider.GetLock("work").TryAcquireAsync(TestContext.Current.CancellationToken);
        Assert.True(node.AdvanceUntil(() => trying.IsCompleted, TimeSpan.FromSeconds(5)));
        Assert.True((await Assert.ThrowsAsync<LockStoreException>(() => trying)).IsTransient);
    }

    [Fact]
    [Promise("G12")]
    [Failure("F3", "F28")]
    public async Task What_a_users_pipeline_throws_counts_as_a_transient_failure()
    {
        await using var node = new TestNode(configure: services => services
            .AddResiliencePipeline(CoordinationPipelines.Acquisition, (pipeline, _) => pipeline.AddTimeout(TimeSpan.FromSeconds(1)))
            .AddResiliencePipeline(CoordinationPipelines.Renewal, (pipeline, _) => pipeline.AddTimeout(TimeSpan.FromSeconds(1))));
        var held = await node.AcquireAsync("held");
        node.Store.Hang = true;
        var trying = node.Provider.GetLock("tried").TryAcquireAsync(TestContext.Current.CancellationToken);
        var waiting = node.AcquireAsync("waited");
        var release = held.ReleaseAsync(TestContext.Current.CancellationToken);
        Assert.True(node.AdvanceUntil(() => trying.IsCompleted && release.IsCompleted, TimeSpan.FromSeconds(10)));
        Assert.True((await Assert.ThrowsAsync<LockStoreException>(() => trying)).IsTransient);
        Assert.Equal(ReleaseResult.Unknown, await release);

        Assert.False(waiting.IsCompleted);
        node.Store.Hang = false;
        Assert.True(node.AdvanceUntil(() => waiting.IsCompleted, TimeSpan.FromSeconds(10)));
        Assert.Equal(LeaseState.Held, (await waiting).State);
    }
}
