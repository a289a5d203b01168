using Coordination.Resilience;
using Polly;
using Polly.Registry;
using Polly.Retry;

namespace Coordination;

/// <summary>
/// The names of the Polly pipelines through which all calls to the store go. Register a pipeline of the same name with
/// <c>services.AddResiliencePipeline(CoordinationPipelines.Acquisition, …)</c> to replace the default one.
/// </summary>
/// <remarks>
/// A replacement should handle only <see cref="LockStoreException"/> with <see cref="LockStoreException.IsTransient"/>: other
/// failures do not pass by being repeated. What a strategy of its own throws, such as a time limit or an open circuit, counts as a
/// transient failure. A time limit per call is applied inside the pipeline and bounds each attempt.
/// </remarks>
public static class CoordinationPipelines
{
    /// <summary>
    /// Acquisition: by default three retries, after 100 ms, 200 ms and 400 ms with jitter. Calls that wait for a lock go on
    /// with a new run of the pipeline until their time is up.
    /// </summary>
    public const string Acquisition = "coordination.acquisition";

    /// <summary>
    /// Renewal and release: by default two retries, after 50 ms and 100 ms with jitter. What fails then is tried again by the watchdog
    /// until the deadline of the lease.
    /// </summary>
    public const string Renewal = "coordination.renewal";

    internal static StorePipelines Create(TimeProvider time, ResiliencePipelineProvider<string>? registered) => new(
        Find(registered, Acquisition) ?? Build(Acquisition, time, retries: 3, delay: TimeSpan.FromMilliseconds(100)),
        Find(registered, Renewal) ?? Build(Renewal, time, retries: 2, delay: TimeSpan.FromMilliseconds(50)));

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
