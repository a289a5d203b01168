using Coordination.PostgreSql.Connections;
using Coordination.PostgreSql.Errors;
using Coordination.PostgreSql.Transactions;
using Coordination.Stores;
using Npgsql;

namespace Coordination.PostgreSql.Stores;

/// <summary>
/// A connection of its own, on which renewals run one after the other, and a thread that keeps the time of it: one that hangs is left behind, and the next has another connection.
/// </summary>
/// <remarks>
/// Claims, and what has to be asked again, go together and in turn with the others: those that come in a crowd cost one transaction, and none waits for longer than one batch takes.
/// What users' transactions wait for goes here as well where the pool is theirs: they may have all of it.
/// </remarks>
internal sealed class RenewalThread(LockDatabase database, Statements statements, TransactionLimits limits) : IDisposable
{
    private const int Kinds = 3;

    /// <summary>Each has a connection, which may be one of an application's pool, for as long as the client's limits say. So many are enough for the whole of a lease.</summary>
    private const int MostLeft = 6;

    /// <summary>Monitored: <see cref="Lock"/> has no wait.</summary>
    private readonly object _gate = new();
    private readonly Queue<RenewalWork> _renewals = new();
    private readonly List<RenewalWork> _others = [];
    private readonly Queue<IConnectionCall> _calls = new();
    private readonly Renewals _statements = new(statements, limits, database.KeepsSessions);

    /// <summary>How long to ask again for rows that somebody else has locked just then: they are not told to be lost, nor is anybody else kept waiting for them.</summary>
    private readonly TimeSpan _patience = limits.Command / 4;

    /// <summary>
    /// How long to wait for a connection: for less than the client does. One that comes later is in the pool for the next try, and a try that begins sooner may be the first that finds a
    /// network which is back.
    /// </summary>
    private readonly TimeSpan _openLimit = limits.Command * 7 / 8;
    private Thread? _thread;

    /// <summary>Null before the first work, and where the last one hung.</summary>
    private RenewalConnection? _connection;

    /// <summary>Those that were left behind, and do not end.</summary>
    private readonly List<RenewalConnection> _left = [];
    private int _turn;

    /// <summary>Of all that it has renewed.</summary>
    private TimeSpan _shortest = TimeSpan.MaxValue;

    /// <summary>The lock that was waited for last.</summary>
    private string? _lastTurn;
    private bool _isDisposed;

    /// <summary>Renews, after those that were asked for before. A token that is cancelled before its turn leaves it undone.</summary>
    public Task<IReadOnlyList<RenewalReply>> RunAsync(IReadOnlyList<RenewalRequest> requests, string subject, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var work = new RenewalWork(requests, subject);
        Add(() =>
        {
            if (work.IsOfClaims)
            {
                _others.Add(work);
            }
            else
            {
                _renewals.Enqueue(work);
            }
        });
        work.EndWith(cancellationToken);
        return work.Task;
    }

    /// <summary>Runs something else that must not wait for another connection, in turn with the renewals. It blocks them, and so waits for nothing.</summary>
    /// <param name="act">Leaves the connection in no transaction, or throws.</param>
    /// <param name="subject">What it does, for messages.</param>
    public Task<T> RunAsync<T>(Func<NpgsqlConnection, T> act, string subject)
    {
        var call = new ConnectionCall<T>(act, subject);
        Add(() => _calls.Enqueue(call));
        return call.Task;
    }

    /// <summary>Makes the connection, unless there is one, before it is needed.</summary>
    public void Connect() => RunAsync(static _ => true, "connect").ContinueWith(
        static failed => _ = failed.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    /// <summary>Ends the thread after what it is doing. Does not wait for it.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            Monitor.Pulse(_gate);
        }
    }

    private void Add(Action add)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_thread is null)
            {
                // It outlives whoever asked for it first, and keeps nothing of theirs.
                var thread = new Thread(Run) { IsBackground = true, Name = "Coordination PostgreSQL renewals" };
                thread.UnsafeStart();
                _thread = thread;
            }

            add();
            Monitor.Pulse(_gate);
        }
    }

    private void Run()
    {
        while (TakeNext() is { } next)
        {
            next();
        }

        _connection?.Leave();
    }

    /// <returns>Null at the end.</returns>
    private Action? TakeNext()
    {
        lock (_gate)
        {
            while (true)
            {
                // Each kind has its turn.
                var now = Environment.TickCount64;
                for (var i = 0; i < Kinds; i++)
                {
                    _turn = (_turn + 1) % Kinds;
                    if (TakeNext(_turn, now) is { } next)
                    {
                        return next;
                    }
                }

                if (_others.Count > 0)
                {
                    Monitor.Wait(_gate, (int)Math.Clamp(_others.Min(static work => work.DueAt) - now, 0, int.MaxValue));
                }
                else if (_isDisposed)
                {
                    return null;
                }
                else
                {
                    Monitor.Wait(_gate);
                }
            }
        }
    }

    private Action? TakeNext(int kind, long now) => kind switch
    {
        0 => TakeOthers(now) is { Count: > 0 } others ? () => Renew(others) : null,
        1 => _calls.TryDequeue(out var call) ? () => Run(call) : null,
        _ => _renewals.TryDequeue(out var renewals) ? () => Renew([renewals]) : null,
    };

    private List<RenewalWork> TakeOthers(long now)
    {
        var (taken, count) = (new List<RenewalWork>(), 0);
        _others.RemoveAll(work =>
        {
            if (work.DueAt > now || (count > 0 && count + work.Rest.Count > Renewals.BatchSize))
            {
                return false;
            }

            taken.Add(work);
            count += work.Rest.Count;
            return true;
        });
        return taken;
    }

    private void Run(IConnectionCall call)
    {
        RunWithin(
            limits.Reply,
            connection =>
            {
                try
                {
                    connection.Use(call.Run);
                }
                catch (Exception e)
                {
                    connection.Close();
                    Fail(e, isSent: true);
                }
            },
            Fail);

        void Fail(Exception e, bool isSent) => call.Fail(PostgreSqlErrorClassifier.TryClassify(e, call.Subject, database.Address, isSent, out var failure) ? failure : e);
    }

    private void Renew(List<RenewalWork> works)
    {
        works.RemoveAll(static work => work.Task.IsCompleted);
        if (works.Count == 0)
        {
            return;
        }

        RenewalRequest[] requests = [.. works.SelectMany(static work => work.Rest).Distinct()];
        _shortest = TimeSpan.FromTicks(Math.Min(_shortest.Ticks, requests.Min(static request => request.LeaseDuration.Ticks)));
        var turn = works.TrueForAll(static work => work.IsAskedAgain) ? NextTurn(requests) : null;
        var batches = Math.Max(1, (requests.Length + Renewals.BatchSize - 1) / Renewals.BatchSize);
        RunWithin(
            (turn is null ? batches : batches + 1) * limits.Reply,
            connection =>
            {
                try
                {
                    var replies = new RenewalReplies();
                    connection.Use(opened =>
                    {
                        replies = new RenewalReplies();
                        if (works[0].MayGoByColumns)
                        {
                            _statements.Run(opened, requests, replies);
                        }
                        else
                        {
                            _statements.RunByMachine(opened, requests, replies, turn);
                        }
                    });
                    works.ForEach(work => GoOn(work, replies));
                }
                catch (Exception e)
                {
                    // A connection on which something failed may stand in the middle of a transaction, or hang.
                    connection.Close();
                    Fail(e, connection.IsSent);
                }
            },
            Fail);

        void Fail(Exception e, bool isSent) =>
            works.ForEach(work => work.TrySetException(PostgreSqlErrorClassifier.TryClassify(e, work.Subject, database.Address, isSent, out var failure) ? failure : e));
    }

    /// <summary>Each lock has its turn to be waited for, one after the other: one whose row somebody keeps takes none from the others.</summary>
    private RenewalTurn NextTurn(RenewalRequest[] requests)
    {
        string[] names = [.. requests.Select(static request => request.LockName).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        var next = Array.Find(names, name => string.CompareOrdinal(name, _lastTurn) > 0) ?? names[0];
        _lastTurn = next;
        return new RenewalTurn(next, limits.TurnLockTimeoutFor(_shortest));
    }

    /// <summary>Runs something, and leaves it behind when it does not end in time.</summary>
    /// <param name="limit">For how long, when there is a connection.</param>
    /// <param name="act">Never throws. What it does after that time nobody counts on.</param>
    /// <param name="fail">Is told that it took too long, and whether anything was sent.</param>
    private void RunWithin(TimeSpan limit, Action<RenewalConnection> act, Action<Exception, bool> fail)
    {
        if (_connection is null)
        {
            _left.RemoveAll(static left => left.HasEnded);
            if (_left.Count >= MostLeft && !_left[0].WaitForEnd(limit))
            {
                fail(new TimeoutException("Earlier renewals hang."), false);
                return;
            }

            _connection = new RenewalConnection(database, _openLimit);
        }

        if (!_connection.TryRun(act, limit))
        {
            var isSent = _connection.IsSent;
            _connection.Leave();
            _left.Add(_connection);
            _connection = null;
            fail(new TimeoutException($"It took longer than {limit}, or the connection did."), isSent);
        }
    }

    private void GoOn(RenewalWork work, RenewalReplies replies)
    {
        // One that was left behind has failed already.
        if (!work.Task.IsCompleted && !work.Learn(replies, _patience, database.Address))
        {
            lock (_gate)
            {
                _others.Add(work);
            }
        }
    }
}
