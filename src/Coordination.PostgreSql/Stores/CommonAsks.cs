using System.Diagnostics;
using Coordination.Stores;

namespace Coordination.PostgreSql.Stores;

/// <summary>
/// Lets those that stand in a queue ask again together: a request goes at once where none is under way, and those that come meanwhile go with the next one. The waiters of a node
/// have common moments for it, so a thousand of them cost two transactions and not a thousand.
/// </summary>
/// <param name="ask">Asks for several in one transaction. Its reply has null for each that it left out.</param>
internal sealed class CommonAsks(Func<IReadOnlyList<AcquireRequest>, Task<IReadOnlyList<AcquireReply?>>> ask)
{
    private const int MostTogether = 100;
    private const int MostUnderWay = 2;

    /// <summary>One that takes longer holds up no other: the next ones do not wait for its end.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(50);

    private readonly Lock _gate = new();
    private readonly Queue<Call> _waiting = new();
    private int _underWay;
    private long _lastBegunAt;

    /// <summary>Asks with others.</summary>
    /// <returns>The reply; null where it is to be asked alone.</returns>
    public Task<AcquireReply?> RunAsync(AcquireRequest request, CancellationToken cancellationToken)
    {
        var call = new Call(request);
        call.EndWith(cancellationToken);
        lock (_gate)
        {
            _waiting.Enqueue(call);
            if (_underWay > 0 && (_underWay == MostUnderWay || Stopwatch.GetElapsedTime(_lastBegunAt) < Patience))
            {
                return call.Task;
            }

            _underWay++;
            _lastBegunAt = Stopwatch.GetTimestamp();
        }

        // In no context of the caller's, whose transaction or trace is none of the others'.
        ThreadPool.UnsafeQueueUserWorkItem(static self => _ = self.AskAsync(), this, preferLocal: false);
        return call.Task;
    }

    /// <summary>Asks for those that wait, and then for those that came meanwhile, for as long as there are any.</summary>
    private async Task AskAsync()
    {
        while (TakeNext() is { } calls)
        {
            try
            {
                var replies = await ask(calls.ConvertAll(static call => call.Request)).ConfigureAwait(false);
                for (var i = 0; i < calls.Count; i++)
                {
                    calls[i].TrySetResult(replies[i]);
                }
            }
            catch (Exception e)
            {
                // Whatever it was is each call's own, which knows what to make of it.
                calls.ForEach(call => call.TrySetException(e));
            }
        }
    }

    private List<Call>? TakeNext()
    {
        lock (_gate)
        {
            List<Call>? together = null;
            while (_waiting.Count > 0 && (together?.Count ?? 0) < MostTogether)
            {
                var call = _waiting.Dequeue();
                if (call.TryBegin())
                {
                    (together ??= []).Add(call);
                }
            }

            if (together is null)
            {
                _underWay--;
            }
            else
            {
                _lastBegunAt = Stopwatch.GetTimestamp();
            }

            return together;
        }
    }

    /// <summary>One of those that go together. Its caller goes on by itself, and holds up no other.</summary>
    private sealed class Call(AcquireRequest request) : TaskCompletionSource<AcquireReply?>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        private CancellationTokenRegistration _registration;
        private int _isTaken;

        public AcquireRequest Request => request;

        /// <summary>Whether it is still wanted. What is sent is not called back.</summary>
        public bool TryBegin()
        {
            var isWanted = Interlocked.Exchange(ref _isTaken, 1) == 0;
            _registration.Unregister();
            return isWanted;
        }

        /// <summary>Before anybody else has it.</summary>
        public void EndWith(CancellationToken cancellationToken) => _registration = cancellationToken.UnsafeRegister(
            static (call, token) =>
            {
                if (Interlocked.Exchange(ref ((Call)call!)._isTaken, 1) == 0)
                {
                    ((Call)call).TrySetCanceled(token);
                }
            },
            this);
    }
}
