using System.Collections.Immutable;

namespace Coordination.Stores;

/// <summary>The queue of a lock: each change makes another one.</summary>
internal static class LockQueue
{
    /// <summary>What a waiter has on top of the holder's time to live and a claim window before it counts as dead.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    /// <summary>How long a dead waiter keeps its place at least, in case it was only slow.</summary>
    private static readonly TimeSpan Retention = TimeSpan.FromSeconds(60);

    extension(ImmutableArray<QueuedWaiter> waiters)
    {
        /// <summary>Whose turn it is; null when nobody waits who is alive.</summary>
        /// <param name="now">The moment.</param>
        /// <param name="asking">Who is asking, and so is alive; null for nobody.</param>
        public QueuedWaiter? FirstLive(DateTimeOffset now, LockOwner? asking = null)
        {
            foreach (var waiter in waiters)
            {
                if (waiter.IsAlive(now) || waiter.Owner == asking)
                {
                    return waiter;
                }
            }

            return null;
        }

        /// <summary>The first live waiter of a node; null when none waits that is alive.</summary>
        public QueuedWaiter? FirstLiveOf(string nodeId, DateTimeOffset now)
        {
            foreach (var waiter in waiters)
            {
                if (waiter.IsAlive(now) && waiter.Owner.NodeId == nodeId)
                {
                    return waiter;
                }
            }

            return null;
        }

        /// <summary>The place of an owner's wait; -1 when it has none.</summary>
        public int PlaceOf(LockOwner owner, long entry)
        {
            for (var place = 0; place < waiters.Length; place++)
            {
                if (waiters[place].Entry == entry && waiters[place].Owner == owner)
                {
                    return place;
                }
            }

            return -1;
        }

        /// <summary>With the wait at its place, or at the end; alive until it should have asked again.</summary>
        /// <param name="request">What it asks.</param>
        /// <param name="heldUntil">When the holder's lease runs out.</param>
        /// <param name="now">The moment of the request.</param>
        /// <param name="place">How many stand before it.</param>
        public ImmutableArray<QueuedWaiter> Join(AcquireRequest request, DateTimeOffset heldUntil, DateTimeOffset now, out int place)
        {
            var aliveUntil = heldUntil.After(request.ClaimWindow).After(Grace);
            place = waiters.PlaceOf(request.Owner, request.Entry);
            if (place >= 0)
            {
                return waiters.SetItem(place, waiters[place] with { AliveUntil = aliveUntil, Share = request.Share });
            }

            var others = waiters.WithoutLongDead(now);
            var joining = new QueuedWaiter
            {
                Owner = request.Owner,
                Entry = request.Entry,
                Since = now,
                AliveUntil = aliveUntil,
                Share = request.Share,
                Note = request.Note is { Length: > 0 } ? request.Note : null,
                Rank = request.Rank,
            };
            place = others.EndFor(request.Share);
            return others.Insert(place, joining);
        }

        /// <summary>
        /// Where one joins: at the end. But an upgrade before all that is none: its reader holds the lock meanwhile, so a writer before it would wait for it, and it
        /// for that writer.
        /// </summary>
        public int EndFor(LockShare? share)
        {
            var place = waiters.Length;
            while (share?.Kind == LockShareKind.Upgrade && place > 0 && waiters[place - 1].Share?.Kind != LockShareKind.Upgrade)
            {
                place--;
            }

            return place;
        }

        /// <summary>Skips a waiter whose turn came from here on, until it asks again: a dead one costs one claim window, once.</summary>
        public ImmutableArray<QueuedWaiter> Skip(QueuedWaiter waiter, DateTimeOffset now) => waiters.Replace(waiter, waiter with { AliveUntil = now });

        /// <summary>Without one wait of an owner.</summary>
        public ImmutableArray<QueuedWaiter> Without(LockOwner owner, long entry)
        {
            var place = waiters.PlaceOf(owner, entry);
            return place < 0 ? waiters : waiters.RemoveAt(place);
        }

        /// <summary>Without those that have been dead for long.</summary>
        /// <param name="now">The moment.</param>
        /// <param name="asking">Who is asking, and so is alive; null for nobody.</param>
        public ImmutableArray<QueuedWaiter> WithoutLongDead(DateTimeOffset now, LockOwner? asking = null) =>
            waiters.RemoveAll(waiter => waiter.AliveUntil.After(Retention) < now && waiter.Owner != asking);
    }
}
