using System.Collections.Concurrent;
using System.Reflection;
using Coordination.Quartz.Names;
using Coordination.Stores;
using Quartz;

namespace Coordination.Quartz.Policies;

/// <summary>Decides how the jobs of a scheduler are exclusive: defaults, then attribute, options, job data, each stronger than the one before.</summary>
/// <param name="options">What is set for the scheduler.</param>
/// <param name="store">The store of the locks; null for one that keeps any.</param>
internal sealed class ExclusivePolicies(QuartzExclusivityOptions options, ILockStore? store = null)
{
    private readonly ConcurrentDictionary<Type, IReadOnlyList<ExclusiveJobAttribute>> _attributes = new();

    /// <summary>How long the store remembers fire times.</summary>
    public TimeSpan FireTimeRetention => options.FireTimeRetention;

    /// <summary>How a job is exclusive; null when it is not.</summary>
    /// <param name="job">The job.</param>
    /// <param name="data">Its data, with those of the trigger on top.</param>
    /// <param name="identity">What the job is called on every node.</param>
    /// <param name="trigger">The trigger; null where none is known.</param>
    /// <exception cref="ArgumentException">What is set is out of its range, the name cannot be filled in or is none for a lock, or the job has none.</exception>
    public ExclusivePolicy? Find(IJobDetail job, JobDataMap data, JobName identity, ITrigger? trigger = null)
    {
        if (Merge(job, data, trigger) is not { } merged)
        {
            return null;
        }

        var oncePerFireTime = merged.OncePerFireTime ?? true;
        string name;
        try
        {
            Demand(identity, merged);
            name = merged.Name is null ? identity.Text : LockNameTemplate.Fill(merged.Name, job.Key, data);
            LockName.Validate(name);
        }
        catch (ArgumentException e)
        {
            throw Refuse(job, trigger, e.Message, e);
        }

        return new ExclusivePolicy(
            name,
            merged.MaxConcurrentRuns is { } permits ? LockShare.PermitOf(permits) : null,
            new LockOptions
            {
                LeaseDuration = merged.LeaseDuration,
                LockAtLeastFor = merged.LockAtLeastFor is { } atLeast && atLeast > TimeSpan.Zero ? atLeast : null,
            },
            merged.OnConflict,
            merged.MaxWait,
            oncePerFireTime,
            merged.OnCrash ?? JobCrashAction.Skip,
            merged.OnStoreUnavailable,
            merged.MaxRunTime);
    }

    /// <summary>Whether a job is exclusive, as far as its own data say.</summary>
    public bool IsExclusive(IJobDetail job) => Merge(job, job.JobDataMap, trigger: null) is not null;

    /// <summary>Checks what is set for a job, as far as it can be known before a fire.</summary>
    /// <param name="job">The job.</param>
    /// <param name="identity">What the job is called on every node.</param>
    /// <returns>Whether its fires are exclusive, and run once for each time, with what is known before a trigger is.</returns>
    /// <exception cref="ArgumentException">What is set is out of its range, the name is none for a lock, or the job has none.</exception>
    public (bool IsExclusive, bool OncePerFireTime) Validate(IJobDetail job, JobName identity)
    {
        if (Merge(job, job.JobDataMap, trigger: null) is not { } merged)
        {
            return (false, false);
        }

        try
        {
            Demand(identity, merged);

            // A name with placeholders may be filled in from the data of triggers.
            if (merged.Name?.Contains('{', StringComparison.Ordinal) != true)
            {
                LockName.Validate(merged.Name ?? identity.Text);
            }

            return (true, merged.OncePerFireTime ?? true);
        }
        catch (ArgumentException e)
        {
            var advice = merged.Name is null && identity.Fault is null
                ? $" By default a lock is named by the key of its job: give it a name of its own, by {nameof(ExclusiveJobOptions)}.{nameof(ExclusiveJobOptions.Name)}."
                : "";
            throw Refuse(job, trigger: null, e.Message + advice, e);
        }
    }

    /// <summary>Checks what the data of a trigger set for a job, beside its own.</summary>
    /// <param name="job">The job.</param>
    /// <param name="trigger">The trigger.</param>
    /// <exception cref="ArgumentException">What is set is out of its range.</exception>
    public void Validate(IJobDetail job, ITrigger trigger)
    {
        if (trigger.JobDataMap.Keys.Any(ExclusiveJobData.IsSetting))
        {
            Merge(job, ExclusiveJobData.Merge(job, trigger), trigger);
        }
    }

    /// <summary>Names the job, and the trigger where its data have a part in it.</summary>
    private static ArgumentException Refuse(IJobDetail job, ITrigger? trigger, string reason, Exception? inner)
    {
        var ofTrigger = trigger?.JobDataMap is { Count: > 0 } ? $", with the data of its trigger {trigger.Key}," : "";
        return new ArgumentException($"The job {job.Key} ({job.JobType.Type}){ofTrigger} cannot be exclusive as it is set. {reason}", inner);
    }

    /// <summary>A job without a name needs one for its lock, unless that was given another, and for its fire times.</summary>
    private static void Demand(JobName identity, ExclusiveJobOptions options)
    {
        if (identity.Fault is { } fault && (options.Name is null || options.OncePerFireTime is not false))
        {
            throw new ArgumentException(fault);
        }
    }

    private ExclusiveJobOptions? Merge(IJobDetail job, JobDataMap data, ITrigger? trigger)
    {
        ExclusiveJobOptions? merged;
        try
        {
            merged = Merge(job, data);
        }
        catch (ArgumentException e)
        {
            // Data that are of the wrong kind, or two attributes.
            throw Refuse(job, trigger, e.Message, e);
        }

        var faults = merged is null ? [] : ExclusiveJobOptionsRanges.FindFaults(merged).ToList();
        if (store is { KeepsShares: false } && merged?.MaxConcurrentRuns is { } runs)
        {
            faults.Add($"{nameof(merged.MaxConcurrentRuns)} is {runs}, and the store '{store.Name}' keeps exclusive locks only.");
        }

        return faults.Count == 0 ? merged : throw Refuse(job, trigger, string.Join(' ', faults), inner: null);
    }

    private ExclusiveJobOptions? Merge(IJobDetail job, JobDataMap data)
    {
        var type = job.JobType.Type;
        var attributes = _attributes.GetOrAdd(type, FindAttributes);
        var set = options.OptionsFor(job.Key, type).ToList();
        if (!(ExclusiveJobData.ReadIsExclusive(data) ?? (attributes.Count > 0 || set.Count > 0)))
        {
            return null;
        }

        var merged = new ExclusiveJobOptions();
        merged.TakeOver(options.Defaults);
        if (attributes.Count > 1)
        {
            throw new ArgumentException($"It has {string.Join(" and ", attributes.Select(Describe))}: take one of them away.");
        }

        foreach (var attribute in attributes)
        {
            merged.TakeOver(attribute.ToOptions());
        }

        set.ForEach(merged.TakeOver);
        merged.TakeOver(ExclusiveJobData.Read(data));
        return merged;
    }

    /// <summary>Those of the class itself, or of the next one that it derives from and that has any.</summary>
    private static IReadOnlyList<ExclusiveJobAttribute> FindAttributes(Type type)
    {
        for (var ancestor = type; ancestor is not null; ancestor = ancestor.BaseType)
        {
            if (ancestor.GetCustomAttributes<ExclusiveJobAttribute>(inherit: false).ToList() is { Count: > 0 } found)
            {
                return found;
            }
        }

        return [];
    }

    private static string Describe(ExclusiveJobAttribute attribute) =>
        attribute is LimitConcurrencyAcrossClusterAttribute limit ? $"[LimitConcurrencyAcrossCluster({limit.MaxConcurrentRuns})]" : "[DisallowConcurrentAcrossCluster]";
}
