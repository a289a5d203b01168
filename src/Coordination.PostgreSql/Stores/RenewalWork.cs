using System.Diagnostics;
using Coordination.PostgreSql.Errors;
using Coordination.Stores;

namespace Coordination.PostgreSql.Stores;

/// <summary>Renewals that were asked for in one call. Who awaits it goes on in a context of its own, or on the pool, and never on the thread of the renewals.</summary>
/// <param name="requests">What is asked.</param>
/// <param name="subject">The same, for messages.</param>
internal sealed class RenewalWork(IReadOnlyList<RenewalRequest> requests, string subject) : TaskCompletionSource<IReadOnlyList<RenewalReply>>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    private const long FirstPause = 2;
    private const string Busy = "somebody else keeps its row locked: another node that works on it, a transaction that the last lease guards, or a session that locks the store's rows by hand.";

    private readonly Dictionary<RenewalRequest, RenewalReply> _replies = [];
    private Exception? _fault;
    private CancellationTokenRegistration _registration;
    private long _begunAt;
    private long _pause;

    public string Subject => subject;

    /// <summary>Whether all are claims, which columns decide nothing of.</summary>
    public bool IsOfClaims { get; } = requests.All(static request => request.ClaimedEntry is not null);

    /// <summary>Whether a row of it was locked by somebody else before.</summary>
    public bool IsAskedAgain => _begunAt != 0;

    /// <summary>Whether columns may decide of it: not of claims, and not a second time.</summary>
    public bool MayGoByColumns => !IsOfClaims && _begunAt == 0;

    /// <summary>What has no reply yet. Of equal requests one is sent.</summary>
    public List<RenewalRequest> Rest { get; private set; } = [.. requests.Distinct()];

    /// <summary>When it is to be asked again, in the ticks of the system.</summary>
    public long DueAt { get; private set; }

    /// <summary>Takes replies, and completes with the last one: by a failure that says why where nothing is known of any.</summary>
    /// <param name="replies">Of this call, and of others.</param>
    /// <param name="patience">How long to ask again for the others.</param>
    /// <param name="address">Of the server, for messages.</param>
    /// <returns>Whether it is complete.</returns>
    public bool Learn(RenewalReplies replies, TimeSpan patience, string address)
    {
        _begunAt = _begunAt == 0 ? Stopwatch.GetTimestamp() : _begunAt;
        var isLast = Stopwatch.GetElapsedTime(_begunAt) > patience;
        Rest.RemoveAll(request =>
        {
            var isKnown = replies.TryGet(request, out var reply);
            if (isKnown || isLast)
            {
                _fault ??= replies.TryGetFault(request, out var fault) ? fault : null;
                _replies[request] = isKnown ? reply : RenewalReply.Unknown;
            }

            return isKnown || isLast;
        });
        if (Rest.Count > 0)
        {
            _pause = _pause == 0 ? FirstPause : 2 * _pause;
            DueAt = Environment.TickCount64 + _pause;
            return false;
        }

        if (_replies.Values.Any(static reply => reply != RenewalReply.Unknown))
        {
            TrySetResult([.. requests.Select(request => _replies[request])]);
        }
        else if (_fault is not null)
        {
            TrySetException(PostgreSqlErrorClassifier.TryClassify(_fault, subject, address, isCommitSent: false, out var failure) ? failure : _fault);
        }
        else
        {
            TrySetException(new LockStoreException($"Cannot {subject} now: {Busy}", isTransient: true) { MayBeApplied = false, IsLockBusy = true });
        }

        return true;
    }

    public void EndWith(CancellationToken cancellationToken)
    {
        if (!cancellationToken.CanBeCanceled)
        {
            return;
        }

        _registration = cancellationToken.UnsafeRegister(static (work, token) => ((RenewalWork)work!).TrySetCanceled(token), this);
        if (Task.IsCompleted)
        {
            _registration.Unregister();
        }
        else
        {
            // By whoever completes it: the token may outlive many renewals.
            Task.ContinueWith(static (_, work) => ((RenewalWork)work!)._registration.Unregister(), this, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }
}
