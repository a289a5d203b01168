using System.Diagnostics;
using System.Globalization;
using Coordination.TestKit.Nodes;
using Coordination.TestKit.Processes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Coordination.PostgreSql.Tests.Guarding;

/// <summary>A process that holds a lock and is in the middle of a transaction which its lease guards, so that it can be paused there: this same program, with another word on its command line.</summary>
internal sealed class HolderProcess : IAsyncDisposable
{
    /// <summary>The command line that asks for it.</summary>
    public const string Command = "holder";

    public const string Reading = "reading";

    public const string Copying = "copying";

    /// <summary>How long its lease is.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    private readonly Process _process;

    private HolderProcess(Process process) => _process = process;

    /// <summary>The session of its transaction.</summary>
    public int Session { get; private init; }

    /// <summary>Returns when it is in the middle of its work.</summary>
    public static async Task<HolderProcess> StartAsync(string connectionString, string schema, string lockName, string work)
    {
        var process = Process.Start(ThisProgram.Again(Command, connectionString, schema, lockName, work))!;
        var line = await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Limit, TestContext.Current.CancellationToken);
        return new HolderProcess(process) { Session = int.Parse(line ?? throw new InvalidOperationException("The holder ended before it was at work."), CultureInfo.InvariantCulture) };
    }

    public void Pause() => ProcessSignal.Stop(_process.Id);

    /// <summary>The holder's side. It ends when nobody is left who could end it.</summary>
    public static async Task<int> RunAsync(string connectionString, string schema, string lockName, string work)
    {
        await using var node = new Node(builder => builder.UsePostgreSql(connectionString, options => options.Schema = schema), static options => options.LeaseDuration = Lease);
        var lease = await node.GetLock(lockName).AcquireAsync();
        await using var users = new NpgsqlConnection(connectionString);
        await users.OpenAsync();
        await using var transaction = await users.BeginTransactionAsync();
        await lease.GuardAsync(transaction);
        if (work == Reading)
        {
            // More than the buffers on the way take.
            await using var read = new NpgsqlCommand("SELECT repeat('x', 1000) FROM generate_series(1, 1000000)", users, transaction);
            await using var reader = await read.ExecuteReaderAsync();
            await reader.ReadAsync();
            return await WaitAsync(users);
        }

        await using var copy = await users.BeginBinaryImportAsync($"COPY {schema}.work FROM STDIN BINARY");
        await copy.StartRowAsync();
        await copy.WriteAsync(1L);
        return await WaitAsync(users);
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private static async Task<int> WaitAsync(NpgsqlConnection users)
    {
        Console.WriteLine(users.ProcessID);
        var input = Console.OpenStandardInput();
        while (await input.ReadAsync(new byte[16]) > 0)
        {
            // Only the end counts.
        }

        return 0;
    }
}
