using System.Runtime.InteropServices;
using System.Text.Json;
using Coordination.Chaos.Contenders;
using Coordination.Chaos.History;
using Coordination.TestKit.Clocks;

namespace Coordination.Chaos.Workers;

/// <summary>A worker process, from its start to its end.</summary>
internal static class WorkerProgram
{
    /// <summary>The first word of the command line that asks for it.</summary>
    public const string Word = "worker";

    public static async Task<int> RunAsync(string json)
    {
        var options = JsonSerializer.Deserialize<WorkerOptions>(json)!;
        using var history = new HistoryFile(options.HistoryFile, options.Process);
        using var sinks = new WorkerSinks();
        var signals = new WorkerSignals(history, new ShiftedClock(options.ClockAhead), sinks);
        using var stopping = new CancellationTokenSource();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            stopping.Cancel();
        });
        using var canary = new Canary(history, options.Process);
        new Thread(() => Listen(signals)) { IsBackground = true, Name = "listener" }.Start();

        await (options.Workload switch
        {
            Workload.Schedule => ScheduleWorker.RunAsync(options, signals, history, stopping.Token),
            Workload.Services => ServiceWorker.RunAsync(options, signals, history, stopping.Token),
            Workload.Partitions => PartitionWorker.RunAsync(options, signals, history, stopping.Token),
            _ => ContendAsync(options, signals, history, stopping.Token),
        });
        return 0;
    }

    private static async Task ContendAsync(WorkerOptions options, WorkerSignals signals, HistoryFile history, CancellationToken stopping)
    {
        await using var contender = await Contender.CreateAsync(options, signals);
        await WarmUpAsync(contender, "warm-up-" + options.Process, options.Workload == Workload.Shares ? LockShareKind.Write : null);
        Console.WriteLine("ready");
        var attempts = new Attempts();
        await using var guarded = options.IsGuarded ? new GuardedTable(options, signals, history) : null;
        await Task.WhenAll(options.Locks.Select(name => new LockLoop(name, contender, options, signals, history, attempts, guarded, stopping).RunAsync()));
    }

    /// <summary>Connects and compiles, on a lock that nobody else wants: the order of waiters is checked from the first on.</summary>
    private static async Task WarmUpAsync(IContender contender, string lockName, LockShareKind? share)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        try
        {
            if (await contender.AcquireAsync(lockName, share, patience.Token) is { } holding)
            {
                using var impatience = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
                await contender.AcquireAsync(lockName, share, impatience.Token).ContinueWith(_ => { }, TaskScheduler.Default);
                await holding.ReleaseAsync();
                holding.Dispose();
            }
        }
        catch (Exception)
        {
            // Each kind of lock has errors of its own for a server that is away: then it starts cold.
        }
    }

    private static void Listen(WorkerSignals signals)
    {
        while (Console.In.ReadLine() is { } line)
        {
            signals.Take(line);
        }

        // Whoever started it is gone, and nobody is left who would end it.
        Environment.Exit(3);
    }
}
