using System.Globalization;
using Coordination;
using FlashSale.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using SampleKit.CommandLine;
using Serilog;
using Serilog.Events;
using StackExchange.Redis;

namespace FlashSale.Workers;

/// <summary>One worker: a Generic Host as a shop's process would be, with a part of the buyers. Standard output belongs to the parent, so it logs to standard error.</summary>
internal static class WorkerHost
{
    /// <summary>The first word of the command line that asks for a worker.</summary>
    public const string Command = "worker";

    /// <summary>The name of the node whose locks are in PostgreSQL.</summary>
    public const string PostgresNode = "postgres";

    /// <summary>For calls of the locks in PostgreSQL. A server takes a hundred connections by default, of all workers together.</summary>
    private const int MostConnections = 8;

    private static readonly TimeSpan ClaimWindow = TimeSpan.FromMilliseconds(500);

    public static async Task<int> RunAsync(string name, string schema)
    {
        var parent = new Parent();
        try
        {
            await using var connections = await Connections.OpenAsync(new ServerAddresses(
                Environment.GetEnvironmentVariable(SaleOptions.RedisVariable)!, Environment.GetEnvironmentVariable(SaleOptions.PostgresVariable), schema));
            using var host = Build(name, connections);
            await host.StartAsync();
            await using var counter = new Counter(connections, host.Services, parent);
            parent.Tell(new Ready());
            await counter.ServeAsync();
            await host.StopAsync();
            return ExitCode.Succeeded;
        }
        catch (Exception e) when (e is RedisException or NpgsqlException or TimeoutException or LockStoreException)
        {
            // The server is away, or refuses: the parent says so and ends the sale.
            parent.Tell(new Failed(e.Message));
            return ExitCode.Failed;
        }
    }

    private static IHost Build(string name, Connections connections)
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { ContentRootPath = AppContext.BaseDirectory });
        builder.Services.AddSerilog(log => log
            .MinimumLevel.Is(LogEventLevel.Warning)
            .WriteTo.Console(outputTemplate: "{Level:u3} {Message:lj}{NewLine}", formatProvider: CultureInfo.InvariantCulture, standardErrorFromLevel: LogEventLevel.Verbose));
        builder.Services.AddCoordination(o =>
        {
            Configure(o);
            o.ClaimWindow = ClaimWindow;
        }).UseRedis(connections.ForLocks);
        if (Environment.GetEnvironmentVariable(SaleOptions.PostgresVariable) is { } postgres)
        {
            builder.Services.AddCoordination(PostgresNode, Configure).UsePostgreSql(postgres, o => (o.Schema, o.MaxConnections) = (connections.Schema, MostConnections));
        }

        return builder.Build();

        void Configure(CoordinationOptions options)
        {
            options.NodeName = name;
            options.LeaseDuration = Sale.Lease;
        }
    }
}
