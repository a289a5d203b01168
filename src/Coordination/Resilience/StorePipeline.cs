using Polly;

namespace Coordination.Resilience;

/// <summary>A pipeline, and whether it does anything before the first attempt has failed.</summary>
/// <param name="Pipeline">The pipeline.</param>
/// <param name="OnlyRetries">Whether it is the default one, which does not: then a first attempt that succeeds has no need of it.</param>
internal sealed record StorePipeline(ResiliencePipeline Pipeline, bool OnlyRetries);
