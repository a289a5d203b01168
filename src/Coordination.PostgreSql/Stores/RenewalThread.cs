using Coordination.PostgreSql.Connections;
using Coordination.PostgreSql.Errors;
using Coordination.PostgreSql.Transactions;
using Coordination.Stores;
using Npgsql;

namespace Coordination.PostgreSql.Stores;

/// <summary>
/// A thread of its own with a connection of its own, on which renewals run. The client goes on on the thread pool after each asynchronous wait, and a renewal has to keep its time also
/// when the pool has no thread to spare: so this one blocks.
/// </summary>
/// <remarks>
/// Claims, and what has to be asked again, go together and in turn with the others: those that come in a crowd cost one transaction, and none waits for longer than one batch takes.
/// What users' transactions wait for goes here as well where the pool is theirs: they may have all of it.
/// </remarks>
internal sealed class RenewalThread(LockDatabase database, Statements statements, TransactionLimits limits) : IDisposable
{
    private const int Kinds = 3;

    /// <summary>Monitored: <see cref="Lock"/> has no wait.</summary>
    private readonly object _gate = new();
    private readonly Queue<RenewalWork> _renewals = new();
    private readonly List<RenewalWork> _others = [];
    private readonly Queue<IConnectionCall> _calls = new();
    private readonly Renewals _statements = new(statements, limits, database.KeepsSessions);

    /// <summary>How long to ask again for rows that somebody else has locked just then: they are not told to be lost, nor is anybody else kept waiting for them.</summary>
    private readonly TimeSpan _patience = limits.Command / 4;
    private Thread? _thread;
    private NpgsqlConnection? _connection;
    private int _turn;
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

        Close();
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
        try
        {
            call.Run(Connected());
        }
        catch (Exception e)
        {
            Close();
            call.Fail(PostgreSqlErrorClassifier.TryClassify(e, call.Subject, database.Address, isCommitSent: true, out var failure) ? failure : e);
        }
    }

    private NpgsqlConnection Connected()
    {
        if (_connection is { State: not System.Data.ConnectionState.Open })
        {
            Close();
        }

        return _connection ??= database.Open();
    }

    private void Renew(List<RenewalWork> works)
    {
        works.RemoveAll(static work => work.Task.IsCompleted);
        if (works.Count == 0)
        {
            return;
        }

        var isSent = false;
        try
        {
            var connection = Connected();
            isSent = true;
            var replies = new RenewalReplies();
            RenewalRequest[] requests = [.. works.SelectMany(static work => work.Rest).Distinct()];
            if (works[0].MayGoByColumns)
            {
                _statements.Run(connection, requests, replies);
            }
            else
            {
                _statements.RunByMachine(connection, requests, replies);
            }

            works.ForEach(work => GoOn(work, replies));
        }
        catch (Exception e)
        {
            // A connection on which something failed may stand in the middle of a transaction, or hang.
            Close();
            works.ForEach(work => work.TrySetException(PostgreSqlErrorClassifier.TryClassify(e, work.Subject, database.Address, isSent, out var failure) ? failure : e));
        }
    }

    private void GoOn(RenewalWork work, RenewalReplies replies)
    {
        if (!work.Learn(replies, _patience, database.Address))
        {
            lock (_gate)
            {
                _others.Add(work);
            }
        }
    }

    private void Close()
    {
        try
        {
            _connection?.Dispose();
        }
        catch (Exception lost) when (lost is NpgsqlException or InvalidOperationException or IOException)
        {
            // It is gone already.
        }

        _connection = null;
    }
}
