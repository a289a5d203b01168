namespace Coordination.Stores;

/// <summary>What a node asks of its store, the most urgent first.</summary>
internal enum StoreCall
{
    /// <summary>To extend leases.</summary>
    Renewal,

    /// <summary>To release a lock, to undo a grant, or to leave the queue.</summary>
    Release,

    /// <summary>To acquire a lock, or to keep a place in its queue.</summary>
    Acquisition,

    /// <summary>What an operator asks.</summary>
    Question,
}
