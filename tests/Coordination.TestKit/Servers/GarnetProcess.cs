using System.Diagnostics;
using Coordination.TestKit.Processes;

namespace Coordination.TestKit.Servers;

/// <summary>
/// Garnet in a process of its own, so that a test may have every thread of this one's pool: this same program, with another word on its
/// command line, which its entry point passes to <see cref="RunAsync"/>.
/// </summary>
public sealed class GarnetProcess : IAsyncDisposable
{
    /// <summary>The command line that asks for it.</summary>
    public const string Command = "garnet";

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    private readonly Process _process;

    private GarnetProcess(Process process, string connectionString)
    {
        _process = process;
        ConnectionString = connectionString;
    }

    public string ConnectionString { get; }

    public static async Task<GarnetProcess> StartAsync()
    {
        var process = Process.Start(ThisProgram.Again(Command))!;
        try
        {
            var line = await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Limit, TestContext.Current.CancellationToken);
            return new GarnetProcess(process, line ?? throw new InvalidOperationException("Garnet ended before it listened."));
        }
        catch
        {
            await EndAsync(process);
            throw;
        }
    }

    /// <summary>The server's side: it says where it listens, and ends when nobody is left who could end it.</summary>
    /// <param name="connectionString">Where the server listens, which the caller has started.</param>
    public static async Task<int> RunAsync(string connectionString)
    {
        Console.WriteLine(connectionString);
        var input = Console.OpenStandardInput();
        while (await input.ReadAsync(new byte[16]) > 0)
        {
            // Only the end counts.
        }

        return 0;
    }

    public async ValueTask DisposeAsync() => await EndAsync(_process);

    private static async Task EndAsync(Process process)
    {
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }
}
