namespace Coordination.Chaos.Contenders;

/// <summary>A lock that the worker believes to hold.</summary>
internal interface IHolding : IDisposable
{
    /// <summary>The fencing token; null for a kind of lock that has none.</summary>
    long? Token { get; }

    /// <summary>The number of the permit; null for what is no permit of a semaphore.</summary>
    int? Permit => null;

    /// <summary>Cancelled when the lock tells its holder that it is lost.</summary>
    CancellationToken Lost { get; }

    /// <summary>Why the lock says that it is lost; null while it does not, and for a kind of lock that says no such thing.</summary>
    LeaseLossReason? LossReason => null;

    /// <summary>Cancelled when the holder is asked to end its work and to let the lock pass.</summary>
    CancellationToken StepDownRequested => CancellationToken.None;

    /// <summary>The id of the node that the holder was asked to pass the lock to; null for the next in turn.</summary>
    string? Successor => null;

    /// <summary>Tells the lock that the work gets on.</summary>
    void ReportProgress()
    {
    }

    /// <summary>Takes the lock once more and gives that back, where the kind of lock can.</summary>
    /// <returns>The token that it was entered again under; null when it was not.</returns>
    Task<long?> ReenterAsync() => Task.FromResult<long?>(null);

    /// <summary>Waits until the holder of an upgradeable read may write.</summary>
    Task<IHolding?> UpgradeAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    /// <returns>What it found, in its own words.</returns>
    Task<string> ReleaseAsync();

    /// <summary>Releases it to the next in turn, whatever its holder was asked.</summary>
    /// <returns>What it found, in its own words.</returns>
    Task<string> ReleaseInTurnAsync() => ReleaseAsync();

    /// <summary>Releases it to a node of choice.</summary>
    /// <returns>What it found, in its own words.</returns>
    Task<string> ReleaseToAsync(string successor) => throw new NotSupportedException();

    /// <summary>Ends what watches over it.</summary>
    void IDisposable.Dispose()
    {
    }
}
