namespace Coordination.PostgreSql.Transactions;

/// <summary>Rows that a transaction has locked, and the server's time after that.</summary>
internal sealed class LockRows
{
    private readonly Dictionary<string, LockRow> _rows = new(StringComparer.Ordinal);

    /// <summary>The server's time.</summary>
    public DateTimeOffset Now { get; set; }

    /// <summary>Which server's time that is: another one, or the same one started anew, has another number.</summary>
    public long Clock { get; set; }

    public IEnumerable<LockRow> All => _rows.Values;

    /// <summary>One lock; as one of which nothing is known where it has no row.</summary>
    public LockRow this[string name] => _rows.TryGetValue(name, out var row) ? row : LockRow.Missing(name);

    public bool Has(string name) => _rows.ContainsKey(name);

    public void Add(LockRow row) => _rows[row.Name] = row;

    public void Add(string name, GrantColumns columns)
    {
        if (_rows.TryGetValue(name, out var row))
        {
            row.Columns.Add(columns);
        }
    }
}
