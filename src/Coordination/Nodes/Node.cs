using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Coordination.Stores;

namespace Coordination.Nodes;

/// <summary>This node: its id, its settings, and the requests that it makes of a store. Makes no call.</summary>
internal sealed class Node
{
    private const int MaxNameLength = 128;

    private readonly CoordinationOptions _options;
    private readonly LeaseTimings _timings;
    private long _lastNumber;

    public Node(CoordinationOptions options)
    {
        _options = options;
        _timings = LeaseTimings.Of(options);
        // 64 bits: in containers all processes have the same number, and often the same machine name.
        Id = string.Create(
            CultureInfo.InvariantCulture,
            $"{Clean(options.NodeName ?? Environment.MachineName)}-{Environment.ProcessId}-{RandomNumberGenerator.GetHexString(16, lowercase: true)}");
    }

    public string Id { get; }

    public TimeSpan ClaimWindow => _options.ClaimWindow;

    public TimeSpan ReleaseTimeout => _options.ReleaseTimeout;

    /// <summary>How long one call may take that is for no lock with timings of its own.</summary>
    public TimeSpan CallLimit => _timings.CallLimit;

    public LockOwner CreateOwner() => new(Id, NextNumber());

    public LeaseTimings TimingsOf(LockOptions? options) => _timings.For(options);

    /// <summary>How long one try to acquire may take: a reply that comes much later is a lease with little left of it.</summary>
    public TimeSpan AcquireLimit(LockOptions? options) => TimingsOf(options).RenewalInterval;

    public AcquireRequest Acquire(string lockName, LockOwner? owner, LockOptions? options, bool wait, LockShare? share = null, Occurrence? occurrence = null) => new()
    {
        LockName = lockName,
        Owner = owner ?? CreateOwner(),
        Entry = NextNumber(),
        LeaseDuration = TimingsOf(options).Duration,
        ClaimWindow = ClaimWindow,
        Wait = wait,
        AllowBarging = options?.AllowBarging == true,
        Share = share,
        Note = options?.Note,
        Rank = options?.Rank ?? 0,
        Occurrence = occurrence,
    };

    /// <summary>Asks again for what was granted, now for an occurrence: it changes nothing of the grant.</summary>
    public AcquireRequest Acquire(LeaseGrant grant, Occurrence occurrence) => new()
    {
        LockName = grant.LockName,
        Owner = grant.Owner,
        Entry = grant.Entry,
        LeaseDuration = grant.Timings.Duration,
        ClaimWindow = ClaimWindow,
        AllowBarging = grant.Options?.AllowBarging == true,
        Share = grant.Share,
        Note = grant.Options?.Note,
        Rank = grant.Options?.Rank ?? 0,
        Occurrence = occurrence,
    };

    public static RenewalRequest Renew(LeaseGrant grant) => new()
    {
        LockName = grant.LockName,
        Owner = grant.Owner,
        LeaseDuration = grant.Timings.Duration,
        FencingToken = grant.FencingToken,
        Entry = grant.Entry,
        Share = grant.Share,
        Note = grant.Options?.Note,
        Rank = grant.Options?.Rank ?? 0,
    };

    /// <summary>Claims what was handed over, and is held already.</summary>
    public static RenewalRequest Claim(LeaseGrant grant) => Renew(grant) with { ClaimedEntry = grant.Entry };

    /// <summary>Releases what a holder had.</summary>
    /// <param name="grant">What was granted.</param>
    /// <param name="finished">The occurrence that was run to its end; null for none.</param>
    /// <param name="lasts">Whether its lease has surely not run out.</param>
    /// <param name="successor">The node that the lock is to pass to; null for whoever is next.</param>
    public ReleaseRequest Release(LeaseGrant grant, Occurrence? finished, bool lasts, string? successor = null) => new()
    {
        LockName = grant.LockName,
        Owner = grant.Owner,
        Entry = grant.Entry,
        ClaimWindow = ClaimWindow,
        AllowBarging = grant.Options?.AllowBarging == true,
        LockAtLeastFor = grant.Options?.LockAtLeastFor ?? TimeSpan.Zero,
        LeaseDuration = lasts ? grant.Timings.Duration : null,
        TakesHandover = true,
        Successor = successor,
        Share = grant.Share,
        Note = grant.Options?.Note,
        Rank = grant.Options?.Rank ?? 0,
        Occurrence = finished,
    };

    /// <summary>Releases what was granted and nobody received: its occurrence was not begun, and it is not locked for any time at least.</summary>
    public ReleaseRequest Undo(LeaseGrant grant, Occurrence? notBegun) =>
        Release(grant, notBegun, lasts: false) with { LockAtLeastFor = TimeSpan.Zero, OccurrenceIsFinished = false };

    /// <summary>Releases what a request may have been granted, and leaves the queue.</summary>
    public static ReleaseRequest Undo(AcquireRequest request) => new()
    {
        LockName = request.LockName,
        Owner = request.Owner,
        Entry = request.Entry,
        ClaimWindow = request.ClaimWindow,
        AllowBarging = request.AllowBarging,
        Share = request.Share,
        Note = request.Note,
        Rank = request.Rank,
        Occurrence = request.Occurrence,
        OccurrenceIsFinished = false,
    };

    private long NextNumber() => Interlocked.Increment(ref _lastNumber);

    /// <summary>A name that can be part of a channel and of an owner: machine names are not all made of such characters.</summary>
    private static string Clean(string name)
    {
        var clean = new StringBuilder(name.Length);
        foreach (var c in name.AsSpan(0, Math.Min(name.Length, MaxNameLength)))
        {
            clean.Append(char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' ? c : '_');
        }

        return clean.Length == 0 ? "node" : clean.ToString();
    }
}
