using Coordination.PostgreSql.Connections;
using Coordination.PostgreSql.Errors;
using Coordination.PostgreSql.Telemetry;
using Coordination.PostgreSql.Transactions;
using Coordination.Stores;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Coordination.PostgreSql.Stores;

/// <summary>A node's one ear: a connection that listens, found to be dead by a question now and then, and made anew when it is.</summary>
internal sealed class NodeSubscription : IAsyncDisposable
{
    /// <summary>How long nothing is heard before the connection is asked whether it stands.</summary>
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private readonly LockDatabase _database;
    private readonly TransactionLimits _limits;
    private readonly string _channel;
    private readonly Action<LockNotification> _handler;
    private readonly Action<NodeSubscription> _ended;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _ending = new();
    private Task _listening = Task.CompletedTask;
    private int _isDisposed;

    private NodeSubscription(string nodeId, LockDatabase database, TransactionLimits limits, string channel, Action<LockNotification> handler, Action<NodeSubscription> ended, ILogger logger)
    {
        NodeId = nodeId;
        (_database, _limits, _channel, _handler, _ended, _logger) = (database, limits, channel, handler, ended, logger);
    }

    public string NodeId { get; }

    /// <summary>Begins to hear. Completes when the server has confirmed.</summary>
    public static async Task<NodeSubscription> BeginAsync(
        string nodeId, LockDatabase database, TransactionLimits limits, string channel, Action<LockNotification> handler, Action<NodeSubscription> ended, ILogger logger, CancellationToken cancellationToken)
    {
        var subscription = new NodeSubscription(nodeId, database, limits, channel, handler, ended, logger);
        var connection = await subscription.ListenAsync(cancellationToken).ConfigureAwait(false);
        subscription._listening = Task.Run(() => subscription.HearAsync(connection), CancellationToken.None);
        return subscription;
    }

    /// <summary>Looks now and then for what it was told, instead of hearing: one question, however many wait.</summary>
    public static NodeSubscription Poll(
        string nodeId, LockDatabase database, TransactionLimits limits, string channel, string takeMail, TimeSpan interval, Action<LockNotification> handler, Action<NodeSubscription> ended, ILogger logger)
    {
        var subscription = new NodeSubscription(nodeId, database, limits, channel, handler, ended, logger);
        subscription._listening = Task.Run(() => subscription.PollAsync(takeMail, interval), CancellationToken.None);
        return subscription;
    }

    /// <summary>Tells the node what this process did itself, without the server.</summary>
    public void Tell(LockNotification notification)
    {
        if (Volatile.Read(ref _isDisposed) == 0)
        {
            _handler(notification);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        _ended(this);
        await _ending.CancelAsync().ConfigureAwait(false);
        await _listening.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ending.Dispose();
    }

    private async Task<NpgsqlConnection> ListenAsync(CancellationToken cancellationToken)
    {
        var connection = await _database.OpenAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            connection.Notification += OnNotification;
            using var listen = new NpgsqlCommand($"LISTEN \"{_channel}\"", connection) { CommandTimeout = _limits.CommandSeconds };
            await listen.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            return connection;
        }
        catch
        {
            await CloseAsync(connection).ConfigureAwait(false);
            throw;
        }
    }

    private async Task HearAsync(NpgsqlConnection? connection)
    {
        var pause = ShortestPause;
        while (!_ending.IsCancellationRequested)
        {
            try
            {
                if (connection is null)
                {
                    connection = await ListenAsync(_ending.Token).ConfigureAwait(false);
                    Log.ListenerRestored(_logger);
                    Tell(LockNotification.Reconnected);
                }

                while (true)
                {
                    if (!await connection.WaitAsync(KeepAlive, _ending.Token).ConfigureAwait(false))
                    {
                        using var question = new NpgsqlCommand("SELECT 1", connection) { CommandTimeout = _limits.CommandSeconds };
                        await question.ExecuteNonQueryAsync(_ending.Token).ConfigureAwait(false);
                    }

                    pause = ShortestPause;
                }
            }
            catch (Exception lost)
            {
                // Whatever it was: a node that hears nothing any more would wait for the ends of leases for ever.
                if (connection is not null)
                {
                    await CloseAsync(connection).ConfigureAwait(false);
                    if (!_ending.IsCancellationRequested)
                    {
                        Log.ListenerLost(_logger, Describe(lost));
                    }
                }

                connection = null;
                await Task.Delay(pause, TimeProvider.System, _ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                pause = 2 * pause < LongestPause ? 2 * pause : LongestPause;
            }
        }

        if (connection is not null)
        {
            await CloseAsync(connection).ConfigureAwait(false);
        }
    }

    private async Task PollAsync(string takeMail, TimeSpan interval)
    {
        var isAway = false;
        while (!_ending.IsCancellationRequested)
        {
            await Task.Delay(interval, TimeProvider.System, _ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            try
            {
                await TakeMailAsync(takeMail).ConfigureAwait(false);
                if (isAway)
                {
                    isAway = false;
                    Log.ListenerRestored(_logger);
                    Tell(LockNotification.Reconnected);
                }
            }
            catch (Exception lost)
            {
                if (!isAway && !_ending.IsCancellationRequested)
                {
                    isAway = true;
                    Log.ListenerLost(_logger, Describe(lost));
                }
            }
        }
    }

    private async Task TakeMailAsync(string takeMail)
    {
        var connection = await _database.OpenAsync(_ending.Token).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            // Heard when it is committed, so that nothing is lost that was not.
            var mail = new List<string>();
            await ShortTransaction.RunAsync(connection, _limits, _limits.CommandSeconds, takeMail, [LockTransaction.Text(_channel)], reader => mail.Add(reader.GetString(0)), _ending.Token).ConfigureAwait(false);
            mail.ForEach(Hear);
        }
    }

    private string Describe(Exception lost) =>
        PostgreSqlErrorClassifier.TryClassify(lost, "listen", _database.Address, isCommitSent: false, out var failure) ? failure.Message : lost.GetType().Name;

    private void OnNotification(object sender, NpgsqlNotificationEventArgs told) => Hear(told.Payload);

    private void Hear(string text)
    {
        if (NotificationText.TryParse(text, out var notification))
        {
            Tell(notification);
        }
    }

    /// <summary>A connection that goes back to its pool listens no more.</summary>
    private async Task CloseAsync(NpgsqlConnection connection)
    {
        connection.Notification -= OnNotification;
        try
        {
            if (connection.State == System.Data.ConnectionState.Open)
            {
                using var unlisten = new NpgsqlCommand("UNLISTEN *", connection) { CommandTimeout = _limits.CommandSeconds };
                await unlisten.ExecuteNonQueryAsync().ConfigureAwait(false);
            }
        }
        catch (Exception lost) when (lost is NpgsqlException or InvalidOperationException or IOException)
        {
            // It is gone, and so is what it listened to.
        }

        await connection.DisposeAsync().ConfigureAwait(false);
    }
}
