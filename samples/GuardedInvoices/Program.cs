using GuardedInvoices;
using SampleKit.CommandLine;
using SampleKit.Servers;

const string Variable = "COORDINATION_POSTGRES";
const string Help = $"""
    Invoices by EF Core, numbered under a lock in the same PostgreSQL database: a node that has lost the lock cannot commit.

      dotnet run --project samples/GuardedInvoices -- [--postgres "Host=…"]

      --postgres "Host=…" the server, as Npgsql takes it; else {Variable} of the environment; else one is started, where PostgreSQL is installed

    Ends with 0 when every number was written once, 1 when not, 2 when the command line is wrong or there is no server.
    """;

if (args.Contains("--help") || args.Contains("-h"))
{
    Console.WriteLine(Help);
    return ExitCode.Succeeded;
}

using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
try
{
    var given = new Arguments(args, ["--postgres"], []).Text("--postgres") ?? Environment.GetEnvironmentVariable(Variable);
    await using var server = given is null ? await LocalPostgres.TryStartAsync(limit.Token) : null;
    return await Run.PlayAsync(
        given ?? server?.ConnectionString ?? throw new UsageException($"PostgreSQL is not installed here (Debian: apt-get install postgresql). Name a server: --postgres \"Host=…\", or {Variable} in the environment."),
        limit.Token);
}
catch (UsageException e)
{
    await Console.Error.WriteLineAsync(e.Message);
    return ExitCode.Usage;
}
