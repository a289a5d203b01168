using System.Collections.Concurrent;
using Coordination.PostgreSql.Connections;
using Coordination.PostgreSql.Errors;
using Coordination.Stores;
using Npgsql;

namespace Coordination.PostgreSql.Stores;

/// <summary>
/// A thread of its own with a connection of its own, on which renewals run one after the other. The client goes on on the thread pool after each asynchronous wait, and a
/// renewal has to keep its time also when the pool has no thread to spare: so this one blocks.
/// </summary>
internal sealed class RenewalThread(LockDatabase database, Statements statements, TransactionLimits limits) : IDisposable
{
    private readonly BlockingCollection<Work> _queue = [];
    private readonly Lock _gate = new();
    private readonly Renewals _renewals = new(statements, limits, database.HasOwnSessions);
    private Thread? _thread;
    private NpgsqlConnection? _connection;
    private bool _isDisposed;

    /// <summary>Renews, after those that were asked for before. A token that is cancelled before its turn leaves it undone.</summary>
    public Task<IReadOnlyList<RenewalReply>> RunAsync(IReadOnlyList<RenewalRequest> requests, string subject, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var work = new Work(requests, subject);
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

            _queue.Add(work, CancellationToken.None);
        }

        work.EndWith(cancellationToken);
        return work.Task;
    }

    /// <summary>Ends the thread after what it is doing. Does not wait for it.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_isDisposed)
            {
                return;
            }

            _isDisposed = true;
            _queue.CompleteAdding();
            if (_thread is null)
            {
                _queue.Dispose();
            }
        }
    }

    private void Run()
    {
        foreach (var work in _queue.GetConsumingEnumerable())
        {
            if (!work.Task.IsCompleted)
            {
                Do(work);
            }
        }

        Close();
        _queue.Dispose();
    }

    private void Do(Work work)
    {
        var isSent = false;
        try
        {
            if (_connection is { State: not System.Data.ConnectionState.Open })
            {
                Close();
            }

            _connection ??= database.Open();
            isSent = true;
            work.TrySetResult(_renewals.Run(_connection, work.Requests));
        }
        catch (Exception e)
        {
            // A connection on which something failed may stand in the middle of a transaction, or hang.
            Close();
            work.TrySetException(PostgreSqlErrorClassifier.TryClassify(e, work.Subject, database.Address, isSent, out var failure) ? failure : e);
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

    /// <summary>Who awaits it goes on in a context of its own, or on the pool, and never on this thread.</summary>
    private sealed class Work(IReadOnlyList<RenewalRequest> requests, string subject) : TaskCompletionSource<IReadOnlyList<RenewalReply>>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        private CancellationTokenRegistration _registration;

        public IReadOnlyList<RenewalRequest> Requests => requests;

        public string Subject => subject;

        public void EndWith(CancellationToken cancellationToken)
        {
            if (!cancellationToken.CanBeCanceled)
            {
                return;
            }

            _registration = cancellationToken.UnsafeRegister(static (work, token) => ((Work)work!).TrySetCanceled(token), this);
            if (Task.IsCompleted)
            {
                _registration.Unregister();
            }
            else
            {
                // By whoever completes it: the token may outlive many renewals.
                Task.ContinueWith(static (_, work) => ((Work)work!)._registration.Unregister(), this, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            }
        }
    }
}
