using System.Diagnostics;
using System.Globalization;
using Coordination.Quartz.Tests.Jobs;
using Coordination.TestKit.Processes;
using Microsoft.Extensions.DependencyInjection;
using Quartz;

namespace Coordination.Quartz.Tests.Schedulers;

/// <summary>A node in a process of its own: this same program, with other words on its command line.</summary>
internal sealed class WorkerProcess : IAsyncDisposable
{
    /// <summary>The first word of the command line that asks for it.</summary>
    public const string Command = "worker";

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    /// <summary>It outlasts the process by no more than a test can wait for, and for long enough to be seen.</summary>
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(6);

    private readonly Process _process;

    private WorkerProcess(Process process) => _process = process;

    public static WorkerProcess Start(string redis, string prefix, string name, JobCrashAction onCrash) =>
        Start(Command, redis, prefix, name, onCrash.ToString());

    /// <summary>Starts this program with other words.</summary>
    public static WorkerProcess Start(params string[] words) => new(Process.Start(ThisProgram.Again(words))!);

    /// <summary>The job as every node schedules it.</summary>
    public static void Schedule(IQuartzBuilder quartz) => Schedule(quartz, OverlapPolicy.Default);

    /// <summary>The same series, of which this node may leave out what comes due while it runs another.</summary>
    public static void Schedule(IQuartzBuilder quartz, OverlapPolicy overlap) => quartz.ScheduleJob<StagedJob>(
        trigger => trigger.WithIdentity("each-second").WithOverlapPolicy(overlap).WithCronSchedule("* * * * * ?"),
        job => job.WithIdentity("staged"));

    /// <summary>The worker's side: it holds on to its first fire until it is killed.</summary>
    public static Task<int> RunAsync(string[] words) =>
        RunAsync(words, Schedule, options => options.ForJob<StagedJob>(job => job.OnCrash = Enum.Parse<JobCrashAction>(words[3])));

    /// <inheritdoc cref="RunAsync(string[])"/>
    public static async Task<int> RunAsync(string[] words, Action<IQuartzBuilder> schedule, Action<QuartzExclusivityOptions> exclusivity, Func<IScheduler, Task>? begin = null)
    {
        var builder = TestScheduler.CreateBuilder(new Ledger(), words[2]);
        builder.Services.Configure<CoordinationOptions>(o => o.LeaseDuration = Lease);
        builder.Services.AddCoordination().UseRedis(words[0], o => o.KeyPrefix = words[1]).AddQuartzExclusivity(exclusivity);
        builder.Services.AddQuartz(schedule);
        builder.Services.AddQuartzHostedService();
        using var host = builder.Build();
        var (stage, ledger) = (host.Services.GetRequiredService<Stage>(), host.Services.GetRequiredService<Ledger>());
        stage.Act = (call, cancellationToken) =>
        {
            if (call == 1)
            {
                Console.WriteLine(ledger.Runs[0].FireTime.UtcTicks.ToString(CultureInfo.InvariantCulture));
            }

            return stage.HoldAsync(cancellationToken);
        };

        // Nobody is left who would kill it when the process that started it is gone.
        var input = Console.OpenStandardInput();
        await host.StartAsync();
        if (begin is not null)
        {
            await begin(await host.Services.GetRequiredService<ISchedulerFactory>().GetScheduler());
        }

        while (await input.ReadAsync(new byte[16]) > 0)
        {
            // Only the end counts.
        }

        return 0;
    }

    /// <summary>Waits until the worker runs the job.</summary>
    /// <returns>For which fire time.</returns>
    public async Task<DateTimeOffset> RunsAsync()
    {
        var line = await _process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Limit, TestContext.Current.CancellationToken);
        return new DateTimeOffset(long.Parse(line!, CultureInfo.InvariantCulture), TimeSpan.Zero);
    }

    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Limit, TestContext.Current.CancellationToken);
    }

    public ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
        return ValueTask.CompletedTask;
    }
}
