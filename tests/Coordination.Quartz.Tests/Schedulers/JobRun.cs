using System.Diagnostics;
using Quartz;

namespace Coordination.Quartz.Tests.Schedulers;

/// <summary>One run of a job, as the job saw it.</summary>
internal sealed class JobRun(string scheduler, JobKey job, DateTimeOffset fireTime, long? token, int? permit, long beganAt)
{
    private long _endedAt;

    public string Scheduler => scheduler;

    public JobKey Job => job;

    public DateTimeOffset FireTime => fireTime;

    public long? Token => token;

    public int? Permit => permit;

    /// <summary>Null where the job has none.</summary>
    public ILease? Lease { get; init; }

    public long BeganAt => beganAt;

    public long? EndedAt => Volatile.Read(ref _endedAt) is var ended and not 0 ? ended : null;

    public void End() => Volatile.Write(ref _endedAt, Stopwatch.GetTimestamp());
}
