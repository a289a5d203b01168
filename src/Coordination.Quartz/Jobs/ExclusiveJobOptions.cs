namespace Coordination;

/// <summary>How a job is exclusive. What is null is left as it was set elsewhere, and in the end at its default.</summary>
public sealed class ExclusiveJobOptions
{
    /// <summary>
    /// The name of the job's lock. Jobs with the same name exclude each other. It may hold <c>{group}</c> and <c>{name}</c>, of the job's key, and
    /// keys of the job's and the trigger's data, as <c>report:{tenant}</c>; with what is filled in it is a name that
    /// <see cref="ILockProvider.GetLock"/> takes, and is shared by all applications with the same key prefix. By default the lock is the application's
    /// own: <c>{application}/{scheduler}/{group}/{name}</c>, of <see cref="CoordinationOptions.ApplicationName"/>, the scheduler's name and the job's key. A job that is
    /// registered without key, and that a store in memory keeps, has the full name of its type in place of its key.
    /// </summary>
    public string? Name { get; set; }

    /// <summary>
    /// How many runs of the job may be under way at a time, on all nodes together and also on one: 1 to <see cref="LockCapacity.MaxPermits"/>. Null, the default, for one, by an
    /// exclusive lock; that is another kind of lock than a limit of 1.
    /// </summary>
    /// <remarks>
    /// All who use a lock at a time have the same number. Fires of nodes with another one do as those do that find the job running, and ask again every 1 to 2 seconds where they wait,
    /// until the others neither hold the lock nor wait for it. Needs a store with <see cref="Stores.ILockStore.KeepsShares"/>.
    /// </remarks>
    public int? MaxConcurrentRuns { get; set; }

    /// <summary>
    /// What a fire does that finds its lock with another run. By default it skips where an earlier fire of its own series is what runs, and a later one
    /// follows, and waits where nobody else would run it: one that finds a run of another trigger or job, or anything else that holds the lock; one that is run
    /// once, by a trigger or by hand; one that is recovered; the last of a finite series; and every fire of a scheduler whose job store outlives the process, for
    /// there each fire comes to one node only.
    /// </summary>
    public JobConflictAction? OnConflict { get; set; }

    /// <summary>
    /// How long a fire waits at most that finds the job running: greater than zero, at most 1 day. By default 1 minute with
    /// <see cref="JobConflictAction.Wait"/>, and for as long as it takes where a fire waits because nobody else would run it.
    /// </summary>
    public TimeSpan? MaxWait { get; set; }

    /// <summary>
    /// How long the job's lock outlives a node that dies: 100 ms to 1 day; <see cref="CoordinationOptions.LeaseDuration"/> by default. It is
    /// renewed while the job runs, however long that is.
    /// </summary>
    public TimeSpan? LeaseDuration { get; set; }

    /// <summary>
    /// How long after the start of a run the lock stays held at least, although the run is over: zero to 1 day; zero, which is not at all, by default. For jobs that are shorter than the
    /// clocks of the nodes differ, and whose triggers have no fire times in common; for the others there is <see cref="OncePerFireTime"/>.
    /// </summary>
    public TimeSpan? LockAtLeastFor { get; set; }

    /// <summary>
    /// How long a run may take: 1 ms to 31 days; no limit by default. Then its token is cancelled, once, as by Quartz's own interruption, and a warning says so.
    /// Its lease is renewed until the job has returned, however long that takes, and only then released: no other node begins meanwhile.
    /// </summary>
    /// <remarks>
    /// <para>Counts from when the job begins, for each try anew: not while the fire waits for its lock or stands by, and again for a refire or a retry. Counts
    /// for a run without a lease as well (<see cref="JobOutageAction.RunAnyway"/>).</para>
    /// <para>A job that ends with an <see cref="OperationCanceledException"/> for that has failed: Quartz and its listeners get a
    /// <see cref="global::Quartz.JobExecutionException"/> that names this option, and a retry policy applies. One that returns all the same has succeeded, and one
    /// that throws something else has failed with that. Whichever it is, its fire time is over.</para>
    /// </remarks>
    public TimeSpan? MaxRunTime { get; set; }

    /// <summary>
    /// Whether each scheduled fire time is run once at most, by whichever node comes first; true by default. Counts for triggers whose
    /// fire times are the same on all nodes, as those of cron expressions are, and for those that repeat at an interval, once in each interval; a job that
    /// is triggered by hand is exclusive only. Without it no node knows whose series a run elsewhere is of, and a fire that a later one of its series
    /// follows skips by default, whatever runs.
    /// </summary>
    public bool? OncePerFireTime { get; set; }

    /// <summary>What becomes of a fire whose node died before the job was done. <see cref="JobCrashAction.Skip"/> by default. Recovering needs <see cref="OncePerFireTime"/>.</summary>
    /// <remarks>
    /// A job that returns after its node began to stop and cancelled its token counts as not finished, as one that throws does: with
    /// <see cref="JobCrashAction.Recover"/> another node runs the fire, also where the job was done in that very moment.
    /// </remarks>
    public JobCrashAction? OnCrash { get; set; }

    /// <summary>
    /// What a fire does when the store does not reply. By default it skips; one that would wait for its turn, by <see cref="OnConflict"/> or because nobody
    /// else would run it, waits for the store.
    /// </summary>
    public JobOutageAction? OnStoreUnavailable { get; set; }

    /// <summary>Whether a limit that a weaker layer sets does not count.</summary>
    internal bool IsOneAtATime { get; set; }

    /// <summary>Takes over whatever a stronger layer sets.</summary>
    internal void TakeOver(ExclusiveJobOptions stronger)
    {
        Name = stronger.Name ?? Name;
        MaxConcurrentRuns = stronger.MaxConcurrentRuns ?? (stronger.IsOneAtATime ? null : MaxConcurrentRuns);
        OnConflict = stronger.OnConflict ?? OnConflict;
        MaxWait = stronger.MaxWait ?? MaxWait;
        LeaseDuration = stronger.LeaseDuration ?? LeaseDuration;
        LockAtLeastFor = stronger.LockAtLeastFor ?? LockAtLeastFor;
        MaxRunTime = stronger.MaxRunTime ?? MaxRunTime;
        OncePerFireTime = stronger.OncePerFireTime ?? OncePerFireTime;
        OnCrash = stronger.OnCrash ?? OnCrash;
        OnStoreUnavailable = stronger.OnStoreUnavailable ?? OnStoreUnavailable;
    }
}
