namespace Coordination.Resilience;

/// <summary>The pipelines that are in use.</summary>
internal sealed record StorePipelines(StorePipeline Acquisition, StorePipeline Renewal);
