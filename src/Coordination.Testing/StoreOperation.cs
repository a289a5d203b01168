namespace Coordination.Testing;

/// <summary>What a node asks of its store.</summary>
public enum StoreOperation
{
    /// <summary>To acquire a lock, or to keep a place in its queue.</summary>
    Acquire,

    /// <summary>To extend leases.</summary>
    Renew,

    /// <summary>To release a lock, to undo a grant that nobody received, or to leave the queue.</summary>
    Release,

    /// <summary>To be told when a waiter of the node is granted a lock.</summary>
    Subscribe,

    /// <summary>To say who holds a lock.</summary>
    GetHolder,

    /// <summary>To show a lock and its queue.</summary>
    Inspect,

    /// <summary>To list the locks that are held.</summary>
    List,

    /// <summary>To take a lock from its holder.</summary>
    Revoke,

    /// <summary>To give a sign of life.</summary>
    Ping,

    /// <summary>To forget the last scheduled time of recurring work.</summary>
    Forget,

    /// <summary>To ask a holder to step down.</summary>
    StepDown,

    /// <summary>To guard a transaction by a lease; the first of a lease counts twice, for it is made ready before.</summary>
    Guard,
}
