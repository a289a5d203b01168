using System.Diagnostics;
using Coordination.Benchmarks.Servers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Coordination.Benchmarks.Agents;

/// <summary>The other side of <see cref="PartitionAgent"/>: a host with one partitioned service. Stops with the end of its standard input.</summary>
internal sealed class PartitionProgram : PartitionedBackgroundService
{
    /// <summary>The word on the command line that makes this program such a node.</summary>
    public const string Word = "partition-agent";

    public const string StartedWord = "started";
    public const string BeginWord = "begin";
    public const string EndWord = "end";

    public static async Task<int> RunAsync(IReadOnlyList<string> words)
    {
        var connection = await Connection.OpenAsync(words[1], words[2]);
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Services.AddSingleton<IConnectionMultiplexer>(connection);
        builder.Services.AddCoordination(options =>
        {
            options.NodeName = words[2];
            options.LeaseDuration = TimeSpan.FromMilliseconds(double.Parse(words[3]));
        }).UseRedis();
        builder.Services.AddPartitionedBackgroundService<PartitionProgram>(options =>
        {
            options.LockName = "benchmark-partitions";
            options.Partitions = int.Parse(words[4]);
        });
        using var host = builder.Build();
        await host.StartAsync();
        Say($"{StartedWord} {Stopwatch.GetTimestamp()}");
        while (await Console.In.ReadLineAsync() is not null)
        {
        }

        await host.StopAsync();
        return 0;
    }

    protected override async Task ExecutePartitionAsync(ExclusiveTerm term, CancellationToken stoppingToken)
    {
        Say($"{BeginWord} {term.Partition} {term.FencingToken} {Stopwatch.GetTimestamp()}");
        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (stoppingToken.UnsafeRegister(static told => ((TaskCompletionSource)told!).TrySetResult(), told))
        {
            await told.Task;
        }

        Say($"{EndWord} {term.Partition} {term.FencingToken} {Stopwatch.GetTimestamp()}");
    }

    private static void Say(string line)
    {
        lock (Console.Out)
        {
            Console.Out.WriteLine(line);
            Console.Out.Flush();
        }
    }
}
