namespace Coordination;

/// <summary>
/// The names of the Polly pipelines through which all calls to the store go. Register a pipeline of the same name with
/// <c>services.AddResiliencePipeline(CoordinationPipelines.Acquisition, …)</c> to replace the default one.
/// </summary>
/// <remarks>
/// A replacement should handle only <see cref="LockStoreException"/> with <see cref="LockStoreException.IsTransient"/>: other
/// failures do not pass by being repeated. What a strategy of its own throws, such as a time limit or an open circuit, counts as a
/// transient failure. Set the delay of a retry strategy: Polly's default is two seconds before each retry, which is how long a single try then lasts
/// with the store away. A time limit per call is applied inside the pipeline and bounds each attempt.
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
}
