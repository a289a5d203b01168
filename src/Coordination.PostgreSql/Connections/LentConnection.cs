using Npgsql;

namespace Coordination.PostgreSql.Connections;

/// <summary>
/// A connection of the pool, on which nobody waits for longer than a limit. The client has limits of its own, and goes beyond them: of a statement that got no reply in time it asks the
/// server to cancel it, by a connection for which it waits as long as the pool's settings say, on the thread that it has just then, and also on that of whoever cancels a token. So no
/// token is given to the client here; what is left behind ends by the client's limits, and its connection goes back to its pool after it.
/// </summary>
/// <param name="connection">Open.</param>
/// <param name="limit">How long to wait for its end, which rolls back what is under way.</param>
internal sealed class LentConnection(NpgsqlConnection connection, TimeSpan limit) : IAsyncDisposable
{
    private Task _last = Task.CompletedTask;
    private Task? _closing;

    public NpgsqlConnection Connection => connection;

    /// <summary>Runs something, and waits for it until the limit or the token. What is left behind then goes on, and nothing else is run on this connection.</summary>
    /// <exception cref="TimeoutException">It took longer.</exception>
    public async Task<T> RunAsync<T>(Func<NpgsqlConnection, Task<T>> run, TimeSpan within, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var running = run(connection);
        _last = running;
        return await running.WaitAsync(within, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc cref="RunAsync{T}"/>
    public Task RunAsync(Func<NpgsqlConnection, Task> run, TimeSpan within, CancellationToken cancellationToken = default) =>
        RunAsync(
            async connection =>
            {
                await run(connection).ConfigureAwait(false);
                return true;
            },
            within,
            cancellationToken);

    /// <summary>Puts it back into its pool. One that is in the middle of a transaction is rolled back by this; one that is lost is only put away.</summary>
    public ValueTask DisposeAsync() => CloseAsync(farewell: null, limit);

    /// <summary>As <see cref="DisposeAsync"/>, after something that makes it again what it was.</summary>
    /// <param name="farewell">Is run on a connection that stands, also when nobody waits for it any more; null for nothing.</param>
    /// <param name="within">How long to wait.</param>
    public async ValueTask CloseAsync(Func<NpgsqlConnection, Task>? farewell, TimeSpan within)
    {
        if (_closing is null)
        {
            var isLeft = !_last.IsCompleted;
            _closing = PutBackAsync(farewell);
            if (!isLeft)
            {
                await _closing.WaitAsync(within).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task PutBackAsync(Func<NpgsqlConnection, Task>? farewell)
    {
        await _last.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        try
        {
            if (farewell is not null && connection.State == System.Data.ConnectionState.Open)
            {
                await farewell(connection).ConfigureAwait(false);
            }
        }
        catch (Exception lost) when (lost is NpgsqlException or InvalidOperationException or IOException)
        {
            // It is gone.
        }

        try
        {
            await connection.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception lost) when (lost is NpgsqlException or InvalidOperationException or IOException)
        {
            // How what was run has ended is known.
        }
    }
}
