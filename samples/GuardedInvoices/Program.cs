using Coordination;
using GuardedInvoices;
using Microsoft.Extensions.DependencyInjection;
using SampleKit.CommandLine;
using SampleKit.Processes;
using SampleKit.Servers;

const string Option = "--postgres";
const string Variable = "COORDINATION_POSTGRES";
const string Help = $"""
    Invoices by EF Core, numbered under a lock in the same PostgreSQL database: a node that has lost the lock cannot commit.

      dotnet run --project samples/GuardedInvoices -- [{Option} "Host=…"]

      {Option} "Host=…" the server, as Npgsql takes it; else {Variable} of the environment; else one is started, where PostgreSQL is installed

    Ends with 0 when every number was written once, 1 when not or when the run broke off, 2 when the command line is wrong or there is no server, 130 on Ctrl+C.
    """;

if (args.Contains("--help") || args.Contains("-h"))
{
    Console.WriteLine(Help);
    return ExitCode.Succeeded;
}

var patience = TimeSpan.FromMinutes(2);
using var interruption = new Interruption();
using var limit = CancellationTokenSource.CreateLinkedTokenSource(interruption.Token);
limit.CancelAfter(patience);
try
{
    var option = new ServerOption<PostgreSqlStoreOptions>(Option, Variable, (builder, address) => builder.UsePostgreSql(address));
    var given = option.Find(new Arguments(args, [Option], []));
    await using var server = given is null ? await LocalPostgres.TryStartAsync(limit.Token) : null;
    return await Run.PlayAsync(
        given ?? server?.ConnectionString ?? throw new UsageException($"PostgreSQL is not installed here (Debian: apt-get install postgresql). Name a server: {Option} \"Host=…\", or {Variable} in the environment."),
        limit.Token);
}
catch (Exception) when (interruption.WasHeard)
{
    return ExitCode.Interrupted;
}
catch (OperationCanceledException) when (limit.IsCancellationRequested)
{
    return await EndAsync($"The run was not over within {patience.TotalMinutes:0} minutes and was broken off.", ExitCode.Failed);
}
catch (Exception e) when (e is UsageException or ServerNotStartedException)
{
    return await EndAsync(e.Message, ExitCode.Usage);
}
catch (RunFailedException e)
{
    return await EndAsync(e.Message, ExitCode.Failed);
}

static async Task<int> EndAsync(string reason, int exitCode)
{
    await Console.Error.WriteLineAsync(reason);
    return exitCode;
}
