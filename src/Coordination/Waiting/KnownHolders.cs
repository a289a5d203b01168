using System.Collections.Concurrent;
using System.Collections.Immutable;
using Coordination.Telemetry;

namespace Coordination.Waiting;

/// <summary>
/// Who holds locks, as the store tells this node each time that it refuses it one: what a waiter learns when it asks, whenever its turn may have come. Makes
/// no call of its own. For authors of integrations.
/// </summary>
/// <remarks>Registered by <c>AddCoordination</c>, once for each node. Safe for use by several threads.</remarks>
public sealed class KnownHolders
{
    private readonly TelemetryDispatcher _dispatcher;
    private readonly ConcurrentDictionary<string, ImmutableArray<Watch>> _watches = new(StringComparer.Ordinal);

    /// <summary>One of each node, which the container makes.</summary>
    internal KnownHolders(TelemetryDispatcher dispatcher) => _dispatcher = dispatcher;

    /// <summary>Tells of the holder of a lock whenever this node is told of it, until what is returned is disposed.</summary>
    /// <param name="lockName">The lock.</param>
    /// <param name="seen">Called on any thread by the call that was told, which waits for it: be quick. What it throws fails no call; it is counted and said as what a sink throws.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public IDisposable Subscribe(string lockName, Action<LockHolder> seen)
    {
        ArgumentNullException.ThrowIfNull(lockName);
        ArgumentNullException.ThrowIfNull(seen);
        var watch = new Watch(this, lockName, seen);
        _watches.AddOrUpdate(lockName, static (_, watch) => [watch], static (_, others, watch) => others.Add(watch), watch);
        return watch;
    }

    /// <summary>Learns what a reply says.</summary>
    /// <param name="lockName">The lock.</param>
    /// <param name="holder">Who holds it; null where the reply names none.</param>
    internal void Saw(string lockName, LockHolder? holder)
    {
        if (holder is not null && _watches.TryGetValue(lockName, out var watches))
        {
            foreach (var watch in watches)
            {
                watch.Tell(holder);
            }
        }
    }

    private sealed class Watch(KnownHolders holders, string lockName, Action<LockHolder> seen) : IDisposable
    {
        public void Tell(LockHolder holder) => holders._dispatcher.Tell(
            (seen, holder),
            static told =>
            {
                told.seen(told.holder);
                return true;
            },
            otherwise: false);

        public void Dispose()
        {
            while (holders._watches.TryGetValue(lockName, out var watches))
            {
                var rest = watches.Remove(this);
                if (rest.IsEmpty ? holders._watches.TryRemove(KeyValuePair.Create(lockName, watches)) : holders._watches.TryUpdate(lockName, rest, watches))
                {
                    return;
                }
            }
        }
    }
}
