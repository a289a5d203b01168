using Polly;
using Polly.Registry;
using Polly.Retry;

namespace Coordination.Resilience;

/// <summary>The pipelines that are in use: those that the user registered under the names of <see cref="CoordinationPipelines"/>, or the default ones.</summary>
internal sealed record StorePipelines(StorePipeline Acquisition, StorePipeline Renewal)
{
    public static StorePipelines Create(TimeProvider time, ResiliencePipelineProvider<string>? registered) => new(
        Find(registered, CoordinationPipelines.Acquisition) ?? Build(CoordinationPipelines.Acquisition, time, retries: 3, delay: TimeSpan.FromMilliseconds(100)),
        Find(registered, CoordinationPipelines.Renewal) ?? Build(CoordinationPipelines.Renewal, time, retries: 2, delay: TimeSpan.FromMilliseconds(50)));

    private static StorePipeline? Find(ResiliencePipelineProvider<string>? registered, string name) =>
        registered is not null && registered.TryGetPipeline(name, out var pipeline) ? new StorePipeline(pipeline, OnlyRetries: false) : null;

    // Built by hand and without Polly's telemetry, which would log each attempt of an outage with its stack trace.
    private static StorePipeline Build(string name, TimeProvider time, int retries, TimeSpan delay) =>
        new(new ResiliencePipelineBuilder { Name = name, TimeProvider = time }
            .AddRetry(new RetryStrategyOptions
            {
                Name = name + ".retry",
                MaxRetryAttempts = retries,
                Delay = delay,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                ShouldHandle = new PredicateBuilder().Handle<LockStoreException>(e => e.IsTransient),
            })
            .Build(), OnlyRetries: true);
}
