using System.Globalization;
using Coordination.Chaos.Contenders;
using Coordination.Chaos.History;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Quartz;

namespace Coordination.Chaos.Workers;

/// <summary>Runs a Quartz job each second, as every other worker does, and writes down which fires it ran.</summary>
internal static class ScheduleWorker
{
    /// <summary>The lock of the job.</summary>
    public const string LockName = "chaos-report";

    public static async Task RunAsync(WorkerOptions options, WorkerSignals signals, HistoryFile history, CancellationToken stopping)
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddSingleton(history).AddSingleton<Attempts>().AddSingleton<TimeProvider>(signals.Clock);
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(8));
        CoordinationContender.Register(builder.Services, options, signals).AddQuartzExclusivity();
        builder.Services.AddQuartz(quartz =>
        {
            quartz.ConfigureScheduler(o => o.InstanceId = options.Process);
            quartz.ScheduleJob<Report>(trigger => trigger.WithIdentity("each-second").WithCronSchedule("* * * * * ?"), job => job.WithIdentity("report"));
        });
        builder.Services.AddQuartzHostedService(o => (o.WaitForJobsToComplete, o.AwaitApplicationStarted) = (true, false));
        using var host = builder.Build();
        await host.StartAsync(CancellationToken.None);
        Console.WriteLine("ready");
        await Task.Delay(Timeout.Infinite, stopping).ContinueWith(_ => { }, TaskScheduler.Default);
        await host.StopAsync(CancellationToken.None);
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
