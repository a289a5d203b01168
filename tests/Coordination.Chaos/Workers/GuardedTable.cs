using Coordination.Chaos.Contenders;
using Coordination.Chaos.History;
using Npgsql;

namespace Coordination.Chaos.Workers;

/// <summary>What a worker writes in transactions that commit only under its lock: a table with no column for a fence, on the database that has the locks.</summary>
internal sealed class GuardedTable(WorkerOptions options, WorkerSignals signals, HistoryFile history) : IAsyncDisposable
{
    public const string Name = "chaos_work";

    private readonly NpgsqlDataSource _database = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(options.Server) { MaxPoolSize = 4, Timeout = 2, CommandTimeout = 2, CancellationTimeout = -1 });

    /// <summary>Writes a row, and commits it while the lock is held.</summary>
    public async Task WriteAsync(IHolding holding, string lockName, long attempt)
    {
        try
        {
            await using var connection = await _database.OpenConnectionAsync();
            await using var transaction = await connection.BeginTransactionAsync();
            await using (var command = new NpgsqlCommand($"INSERT INTO {Name} (lock, by, token) VALUES ($1, $2, $3)", connection, transaction))
            {
                command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = lockName });
                command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = options.Process });
                command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = holding.Token!.Value });
                await command.ExecuteNonQueryAsync();
            }

            await holding.GuardAsync(transaction);
            signals.SuspendIfTold(Suspension.InTransaction);
            await transaction.CommitAsync();
        }
        catch (Exception e)
        {
            // The lease is lost, or the server is away, in the words of either. What that means for the holder the lock says.
            history.Write(EventKind.Uncommitted, lockName, attempt, detail: $"{e.GetType().Name}: {e.Message}");
        }
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();
}
