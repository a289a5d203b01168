using Quartz;

namespace Coordination.Quartz.Tests.Schedulers;

/// <summary>What <see cref="Jobs.CallingJob"/> does.</summary>
internal sealed record Calls(Func<IJobExecutionContext, Task> Act);
