using Quartz;

namespace Coordination.Quartz.Tests.Schedulers;

/// <summary>How a fire ended.</summary>
internal sealed record FireVerdict(JobKey Job, DateTimeOffset? FireTime, ExecutionOutcome Outcome, object? Result, JobExecutionException? Failure, bool IsRetried, bool IsSkipped);
