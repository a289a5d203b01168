using Coordination.PostgreSql.Errors;
using Coordination.Stores;

namespace Coordination.PostgreSql.Transactions;

/// <summary>A lock as its rows say it.</summary>
internal sealed class LockRow
{
    private readonly Dictionary<long, LockGrant> _kept = [];

    /// <summary>A lock that has no row: nothing is known of it.</summary>
    /// <param name="name">Its name.</param>
    public static LockRow Missing(string name) => new() { Name = name, Document = "{}" };

    public required string Name { get; init; }

    public required string Document { get; init; }

    public bool IsThere { get; init; }

    public long LastToken { get; init; }

    /// <summary>Whether grants of it may have fences.</summary>
    public bool IsGuarded { get; init; }

    /// <summary>The grants: that of an exclusive lock, which stands in the same row, or those of the other table.</summary>
    public List<GrantColumns> Columns { get; } = [];

    /// <summary>What the rows say. After all of them were read.</summary>
    /// <exception cref="UnreadableRowException">Something else wrote them.</exception>
    public LockState State
    {
        get => field ??= Read();
        private set;
    }

    /// <summary>Whether all that another state changes is in the document: who has the lock is the same, and so is what guards transactions.</summary>
    public bool HasColumnsOf(LockState after) => State.Grants == after.Grants && State.LastToken == after.LastToken && State.Capacity == after.Capacity;

    /// <summary>Whether it was used as a lock that several may hold: then its grants stand in the other table.</summary>
    /// <remarks>False for one that cannot be read, so that it spoils no other: whoever works on it finds out.</remarks>
    public bool IsShared
    {
        get
        {
            try
            {
                return State.Capacity != LockCapacity.Exclusive;
            }
            catch (UnreadableRowException)
            {
                return false;
            }
        }
    }

    private LockState Read()
    {
        try
        {
            return LockText.Read(Document, LastToken, Columns);
        }
        catch (Exception unreadable)
        {
            // Whatever it stumbled over: it reads a text, and asks nobody.
            throw new UnreadableRowException(Name, unreadable);
        }
    }

    /// <summary>The grants that have run out, and that may guard transactions which are under way still.</summary>
    public IEnumerable<LockGrant> RanOut(DateTimeOffset now) =>
        IsGuarded ? State.Grants.Where(grant => !grant.IsReleased && grant.RenewedAt <= now && grant.LastsUntil <= now) : [];

    /// <summary>
    /// Counts a grant that has run out as one that its owner released and that lasts for a little longer: it is nobody's any more, and until the transactions that it guards have ended
    /// nobody else has its place. What the row says of it stays as it is.
    /// </summary>
    public void Keep(LockGrant ended, DateTimeOffset now, TimeSpan longer)
    {
        var kept = ended with { RenewedAt = now, LastsUntil = now + longer, Entries = [], Notes = [] };

        // A run may commit still, and is under way: as nobody's who asks for anything.
        kept = ended.Run is null ? kept with { IsReleased = true } : kept with { Owner = new LockOwner(ended.Owner.NodeId, ~ended.Owner.Sequence) };
        State = State with { Grants = State.Grants.Replace(ended, kept, ReferenceEqualityComparer.Instance) };
        _kept.Add(ended.FencingToken, ended);
    }

    /// <summary>A state with the grants that are kept as the row says them.</summary>
    public LockState AsWritten(LockState state) =>
        _kept.Count == 0 ? state : state with { Grants = [.. state.Grants.Select(grant => _kept.TryGetValue(grant.FencingToken, out var ended) ? ended : grant)] };
}
