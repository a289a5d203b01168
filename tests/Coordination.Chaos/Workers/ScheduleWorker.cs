using System.Globalization;
using Coordination.Chaos.History;
using Microsoft.Extensions.DependencyInjection;
using Quartz;

namespace Coordination.Chaos.Workers;

/// <summary>Runs a Quartz job each second, as every other worker does, and writes down which fires it ran.</summary>
internal static class ScheduleWorker
{
    /// <summary>The lock of the job.</summary>
    public const string LockName = "chaos-report";

    public static async Task RunAsync(WorkerOptions options, WorkerSignals signals, HistoryFile history, CancellationToken stopping)
    {
        using var host = WorkerHost.Create(options, signals, (services, coordination) =>
        {
            services.AddSingleton(history).AddSingleton<Attempts>();
            coordination.AddQuartzExclusivity();
            services.AddQuartz(quartz =>
            {
                quartz.ConfigureScheduler(o => o.InstanceId = options.Process);
                quartz.ScheduleJob<Report>(trigger => trigger.WithIdentity("each-second").WithCronSchedule("* * * * * ?"), job => job.WithIdentity("report"));
            });
            services.AddQuartzHostedService(o => (o.WaitForJobsToComplete, o.AwaitApplicationStarted) = (true, false));
        });
        await WorkerHost.RunAsync(host, () => { }, stopping);
    }

    [DisallowConcurrentAcrossCluster(Name = LockName)]
    private sealed class Report(HistoryFile history, Attempts attempts) : IJob
    {
        public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default)
        {
            var attempt = attempts.Next();
            var lease = context.GetLease();
            var token = lease.FencingToken;
            history.Write(EventKind.Granted, LockName, attempt, token);
            history.Write(EventKind.Fired, LockName, attempt, token, context.ScheduledFireTimeUtc!.Value.UtcDateTime.ToString("O", CultureInfo.InvariantCulture));
            using var belief = new Belief(() => history.Write(EventKind.Lost, LockName, attempt), lease.Lost);
            await Task.Delay(100, CancellationToken.None);
            if (belief.End())
            {
                history.Write(EventKind.Releasing, LockName, attempt);
            }
        }
    }
}
