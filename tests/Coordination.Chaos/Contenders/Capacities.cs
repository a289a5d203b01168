namespace Coordination.Chaos.Contenders;

/// <summary>How many a lock of a run bears at a time, as its name says.</summary>
internal static class Capacities
{
    public const string Semaphore = "semaphore";

    public const string ReaderWriter = "reader-writer";

    private static readonly LockCapacity Permits = LockCapacity.Semaphore(3);

    public static LockCapacity Of(string lockName) => lockName switch
    {
        Semaphore => Permits,
        ReaderWriter => LockCapacity.ReaderWriter,
        _ => LockCapacity.Exclusive,
    };
}
