namespace Coordination.PostgreSql.Stores;

/// <summary>The store, once something of the container asked for it: the store that counts is that one, or stands before it.</summary>
internal sealed class StoreInUse
{
    private volatile PostgreSqlLockStore? _store;

    /// <summary>Null for as long as nobody asked, which is for ever where another store was chosen after this one.</summary>
    public PostgreSqlLockStore? Store
    {
        get => _store;
        set => _store = value;
    }
}
