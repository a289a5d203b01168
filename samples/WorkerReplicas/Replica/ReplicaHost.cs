using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Serilog;
using WorkerReplicas.CommandLine;
using WorkerReplicas.Ledger;

namespace WorkerReplicas.Replica;

/// <summary>One replica: a Generic Host with the worker, as a container would run it.</summary>
internal static class ReplicaHost
{
    public static async Task<int> RunAsync(ReplicaOptions options)
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { ContentRootPath = AppContext.BaseDirectory });
        builder.Services.AddSerilog(log => log
            .MinimumLevel.Is(options.LogLevel)
            .WriteTo.Console(outputTemplate: options.LogTemplate, formatProvider: CultureInfo.InvariantCulture));

        builder.Services
            .AddCoordination(o =>
            {
                o.LeaseDuration = options.Lease;
                o.NodeName = options.Name;
            })
            .UseRedis(options.Redis);
        builder.Services.AddSingleton(new LedgerClient(options.Ledger, options.Name));
        builder.Services.AddExclusiveBackgroundService<LedgerWorker>(o => o.LockName = options.LockName);

        if (options.EndWithStandardInput)
        {
            builder.Services.AddHostedService<StandardInputWatch>();
            builder.Services.AddHostedService<StandbyNotice>();
        }

        await builder.Build().RunAsync();
        return 0;
    }
}
