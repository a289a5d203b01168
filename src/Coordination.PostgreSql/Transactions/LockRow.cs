using Coordination.Stores;

namespace Coordination.PostgreSql.Transactions;

/// <summary>A lock as its rows say it.</summary>
internal sealed class LockRow
{
    private bool _isKept;

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
    public bool HasColumnsOf(LockState after) => !_isKept && State.Grants == after.Grants && State.LastToken == after.LastToken && State.Capacity == after.Capacity;

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

    /// <summary>
    /// Takes grants that have run out, and that guard transactions which are under way still, for ones that last for a little longer: until those have ended, nobody else has the lock.
    /// </summary>
    public void KeepGuarding(DateTimeOffset now, TimeSpan longer)
    {
        if (IsGuarded)
        {
            _isKept = true;
            State = State with { Grants = [.. State.Grants.Select(grant => grant.LastsUntil > now ? grant : grant with { RenewedAt = now, LastsUntil = now + longer })] };
        }
    }
}
