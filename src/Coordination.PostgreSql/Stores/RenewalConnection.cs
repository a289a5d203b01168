using Coordination.PostgreSql.Connections;
using Coordination.PostgreSql.Errors;
using Npgsql;

namespace Coordination.PostgreSql.Stores;

/// <summary>
/// A connection with a thread that blocks on it. The client goes on on the thread pool after each asynchronous wait, and a renewal has to keep its time also when the pool has no thread to
/// spare. A blocking call has no limit but the client's own, which may be much longer than a lease has time: for the making of a connection and for the cancelling of a statement what the
/// application's pool says. So whoever waits for it leaves it behind, with its thread; when it ends at last, its connection goes back to its pool, and nobody counts on what came of it.
/// </summary>
/// <remarks>Used by one thread.</remarks>
internal sealed class RenewalConnection
{
    /// <summary>Monitored: <see cref="Lock"/> has no wait.</summary>
    private readonly object _gate = new();
    private readonly LockDatabase _database;
    private readonly TimeSpan _openLimit;
    private NpgsqlConnection? _connection;
    private Action<RenewalConnection>? _act;
    private TimeSpan _limit;
    private long _dueAt;
    private volatile bool _isOpen;
    private volatile bool _isSent;
    private bool _isLeft;
    private bool _hasEnded;

    /// <param name="database">Where the connections come from.</param>
    /// <param name="openLimit">How long whoever waits gives it for making one.</param>
    public RenewalConnection(LockDatabase database, TimeSpan openLimit)
    {
        (_database, _openLimit) = (database, openLimit);

        // It outlives whoever asked for it first, and keeps nothing of theirs.
        new Thread(Work) { IsBackground = true, Name = "Coordination PostgreSQL renewal" }.UnsafeStart();
    }

    /// <summary>Whether something of the last work may have been sent.</summary>
    public bool IsSent => _isSent;

    /// <summary>Whether its thread and its connection are gone.</summary>
    public bool HasEnded
    {
        get
        {
            lock (_gate)
            {
                return _hasEnded;
            }
        }
    }

    /// <summary>Runs something on the thread, and waits for it.</summary>
    /// <param name="act">Never throws.</param>
    /// <param name="limit">How long to wait; and before that for the connection, where it has to be made.</param>
    /// <returns>False where it has not ended: it is to be left behind.</returns>
    public bool TryRun(Action<RenewalConnection> act, TimeSpan limit)
    {
        lock (_gate)
        {
            (_limit, _isSent, _act) = (limit, false, act);
            GiveTime(mustOpen: !_isOpen);
            while (_act is not null)
            {
                var left = _dueAt - Environment.TickCount64;
                if (left <= 0)
                {
                    return false;
                }

                Monitor.Wait(_gate, (int)Math.Min(left, int.MaxValue));
            }

            return true;
        }
    }

    /// <summary>On the thread: runs something on the connection, which it makes where there is none, and anew where the server has ended the session while nobody used it.</summary>
    public void Use(Action<NpgsqlConnection> act)
    {
        for (var ended = 0; ; ended++)
        {
            if (_connection is { State: not System.Data.ConnectionState.Open })
            {
                Close();
            }

            if (_connection is null)
            {
                GiveTime(mustOpen: true);
                _connection = _database.Open();
                GiveTime(mustOpen: false);
            }

            (_isOpen, _isSent) = (true, true);
            try
            {
                act(_connection);
                return;
            }
            catch (PostgresException idle) when (ended < _database.MaxConnections && PostgreSqlErrorClassifier.IsOfIdleSession(idle))
            {
                // Others of the pool may have ended as well.
                Close();
            }
        }
    }

    /// <summary>On the thread: puts the connection back into its pool.</summary>
    public void Close()
    {
        try
        {
            _connection?.Dispose();
        }
        catch (Exception lost) when (lost is NpgsqlException or InvalidOperationException or IOException)
        {
            // It is gone already.
        }

        (_connection, _isOpen) = (null, false);
    }

    /// <summary>Ends it after what it is doing. Does not wait for it.</summary>
    public void Leave()
    {
        lock (_gate)
        {
            _isLeft = true;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Waits for the end of one that was left.</summary>
    public bool WaitForEnd(TimeSpan limit)
    {
        lock (_gate)
        {
            return _hasEnded || (Monitor.Wait(_gate, limit) && _hasEnded);
        }
    }

    /// <summary>Begins the time anew that whoever waits gives it: for a connection, and then for what is done on it.</summary>
    private void GiveTime(bool mustOpen)
    {
        lock (_gate)
        {
            _dueAt = Environment.TickCount64 + (long)(mustOpen ? _openLimit : _limit).TotalMilliseconds;
            Monitor.PulseAll(_gate);
        }
    }

    private void Work()
    {
        while (TakeNext() is { } act)
        {
            act(this);
            lock (_gate)
            {
                _act = null;
                Monitor.PulseAll(_gate);
            }
        }

        Close();
        lock (_gate)
        {
            _hasEnded = true;
            Monitor.PulseAll(_gate);
        }
    }

    private Action<RenewalConnection>? TakeNext()
    {
        lock (_gate)
        {
            while (_act is null && !_isLeft)
            {
                Monitor.Wait(_gate);
            }

            return _isLeft ? null : _act;
        }
    }
}
