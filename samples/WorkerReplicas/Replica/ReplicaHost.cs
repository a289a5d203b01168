using System.Globalization;
using Coordination;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Quartz;
using SampleKit.CommandLine;
using Serilog;
using Serilog.Events;
using WorkerReplicas.CommandLine;
using WorkerReplicas.Ledger;

namespace WorkerReplicas.Replica;

/// <summary>One replica: a Generic Host with the worker and the scheduled job, as a container would run it.</summary>
internal static class ReplicaHost
{
    /// <summary>How long a replica of a newer version stands by until an older one that leads makes way for it without being told to. Short, for a short run; a deployment has more time.</summary>
    private static readonly TimeSpan PreferenceDwell = TimeSpan.FromSeconds(3);

    public static async Task<int> RunAsync(ReplicaOptions options)
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { ContentRootPath = AppContext.BaseDirectory });
        builder.Services.AddSerilog(log => log
            .MinimumLevel.Is(options.LogLevel)
            .MinimumLevel.Override("Quartz", Max(options.LogLevel, LogEventLevel.Warning))
            .MinimumLevel.Override("Coordination.Quartz", Max(options.LogLevel, LogEventLevel.Warning))
            .WriteTo.Console(outputTemplate: options.LogTemplate, formatProvider: CultureInfo.InvariantCulture));

        options.Store
            .Use(builder.Services.AddCoordination(o =>
            {
                o.LeaseDuration = options.Lease;
                o.NodeName = options.Name;
            }))
            .AddQuartzExclusivity(o => o.ForJob<ReportJob>(job => job.Name = $"{options.LockName}:{{name}}"));
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton(new LedgerClient(options.Ledger, options.Name));
        builder.Services.AddSingleton<StepDownRequest>();
        builder.Services.AddExclusiveBackgroundService<LedgerWorker>(o =>
        {
            o.LockName = options.LockName;
            o.Rank = options.Rank;
            o.PreferenceDwell = PreferenceDwell;
        });

        builder.Services.AddQuartz(quartz => quartz
            .ConfigureScheduler(o => o.ShutdownJobInterruption = ShutdownJobInterruption.Always)
            .ScheduleJob<ReportJob>(trigger => trigger.WithIdentity("report").WithCronSchedule("0/2 * * * * ?"), job => job.WithIdentity("report")));
        builder.Services.AddQuartzHostedService(o => o.WaitForJobsToComplete = true);

        if (options.EndWithStandardInput)
        {
            builder.Services.AddHostedService<StandardInputWatch>();
            builder.Services.AddHostedService<StandbyNotice>();
        }

        try
        {
            await builder.Build().RunAsync();
            return ExitCode.Succeeded;
        }
        catch (LockStoreException e)
        {
            // It lets nobody in with this address, or is not fit for locks: the host has logged where it was noticed.
            await Console.Error.WriteLineAsync(e.Message);
            return ExitCode.Failed;
        }
    }

    private static LogEventLevel Max(LogEventLevel a, LogEventLevel b) => a > b ? a : b;
}
