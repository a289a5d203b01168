using System.Diagnostics;
using System.Runtime.InteropServices;
using Coordination.Benchmarks.Agents;
using Coordination.Benchmarks.CommandLine;
using Coordination.Benchmarks.Reports;
using Coordination.Benchmarks.Rows;
using Coordination.Benchmarks.Servers;
using Coordination.TestKit.CommandLine;
using Coordination.TestKit.Servers;

if (args is [AgentProgram.Word, ..])
{
    return await AgentProgram.RunAsync(args);
}

if (args is [PartitionProgram.Word, ..])
{
    return await PartitionProgram.RunAsync(args);
}

if (args.Contains("--help"))
{
    Console.WriteLine(Help.Text);
    return 0;
}

try
{
    return await RunAsync(Arguments.Parse(args));
}
catch (UsageException e)
{
    await Console.Error.WriteLineAsync($"{e.Message} See --help.");
    return 1;
}

static async Task<int> RunAsync(Arguments arguments)
{
    var stop = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
    using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

    await using var server = arguments.Redis is null ? await RedisProcess.StartAsync() : null;
    var address = arguments.Redis ?? server!.ConnectionString;
    await using var judge = await Connection.OpenAsync(address, "judge");
    var lines = new List<Line>();
    var load = Report.Load;
    var begun = Stopwatch.GetTimestamp();
    foreach (var row in arguments.Rows)
    {
        var begunRow = Stopwatch.GetTimestamp();
        await using var bench = new Bench(address, judge);
        var measuring = row.MeasureAsync(bench);
        if (await Task.WhenAny(measuring, stop.Task, Task.Delay(row.Limit)) != measuring)
        {
            await Console.Error.WriteLineAsync(stop.Task.IsCompleted ? "Stopped." : $"{row.Name} took longer than {row.Limit}.");
            return 1;
        }

        var measured = await measuring;
        lines.AddRange(measured);
        Console.WriteLine($"{row.Name}: {Stopwatch.GetElapsedTime(begunRow).TotalSeconds:F0} s");
        Console.WriteLine(Table.Of(measured));
    }

    var report = Report.Of(lines, judge.GetServer(address), Stopwatch.GetElapsedTime(begun), load);
    Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(arguments.Out))!);
    await File.WriteAllTextAsync(arguments.Out, report);
    Console.WriteLine(report);
    Console.WriteLine($"Written to {arguments.Out}");
    return 0;

    void Stop(PosixSignalContext context)
    {
        context.Cancel = true;
        stop.TrySetResult();
    }
}
