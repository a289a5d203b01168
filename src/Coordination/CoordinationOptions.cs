namespace Coordination;

/// <summary>
/// The settings of one node, bound from the configuration section <c>Coordination</c> and checked when the host starts.
/// </summary>
public sealed class CoordinationOptions
{
    /// <summary>The configuration section: <c>Coordination</c>.</summary>
    public const string SectionName = "Coordination";

    /// <summary>How long a grant lasts with no renewal: 100 ms to 1 day; 15 s by default. It bounds how long a crash blocks a lock.</summary>
    public TimeSpan LeaseDuration { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// How often a lease is renewed: from 20 ms; with the safety margin at most nine tenths of the lease duration, so that a failed renewal
    /// leaves time for another. Null, the default, for a third of the lease duration.
    /// </summary>
    public TimeSpan? RenewalInterval { get; set; }

    /// <summary>
    /// How long before the store could grant the lock to another the holder is told that it is lost: what user code has to stop in.
    /// From 20 ms. Null, the default, for a fifth of the lease duration.
    /// </summary>
    public TimeSpan? SafetyMargin { get; set; }

    /// <summary>
    /// How long a lock that was passed to a waiter stays passed without being claimed: 50 ms to 1 minute; 2 s by default. What a
    /// waiter that died costs the next one, once.
    /// </summary>
    public TimeSpan ClaimWindow { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How long a release tries to reach the store before it leaves the lock to lapse: 50 ms to 5 minutes; 3 s by default. Disposing the
    /// provider waits that long for releases under way. A release that also tells that a scheduled time was run, as of a periodic service or a Quartz job, tries until the
    /// lease has lapsed: what the store is not told of is run again elsewhere.
    /// </summary>
    public TimeSpan ReleaseTimeout { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>
    /// How long the platform waits, after it has asked the process to end, before it kills it: 1 second to 1 day, <c>terminationGracePeriodSeconds</c> in Kubernetes. A
    /// host stops in that time, or says at its start why it cannot. Null, the default, for 30 s in Kubernetes, and elsewhere for not known.
    /// </summary>
    public TimeSpan? TerminationGracePeriod { get; set; }

    /// <summary>
    /// Whether the node is out of service: it leads nothing new, and gives away what it leads. False by default. A change of the configuration counts while the host runs, and so does <c>NodeDrain</c> of the package
    /// <c>Coordination.Hosting</c>: what was said last. Locks that are acquired by hand, and Quartz jobs, do not look at it.
    /// </summary>
    public bool Drain { get; set; }

    /// <summary>
    /// The first part of the node id, for people who read it: 1 to 128 characters, letters, digits, dot, dash and underscore. Null,
    /// the default, for the name of the machine.
    /// </summary>
    public string? NodeName { get; set; }

    /// <summary>
    /// What the locks of this application begin with that were given no name, as those of services and jobs: two applications that share a store
    /// have their own. The same on all nodes. By default the name of the host's application, and without a host that of the program;
    /// null, where neither is known, in which case each lock has to be given a name.
    /// </summary>
    public string? ApplicationName { get; set; }
}
