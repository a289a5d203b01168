using System.Diagnostics.CodeAnalysis;
using Coordination.Stores;

namespace Coordination.PostgreSql.Stores;

/// <summary>What renewals learned of each lock by itself. What has neither a reply nor a fault is to be asked for again.</summary>
internal sealed class RenewalReplies
{
    private readonly Dictionary<RenewalRequest, RenewalReply> _replies = [];
    private readonly Dictionary<RenewalRequest, Exception> _faults = [];

    public void Add(RenewalRequest request, RenewalReply reply) => _replies[request] = reply;

    /// <summary>Of one of which nothing can be said, because of what its row holds.</summary>
    public void Fail(RenewalRequest request, Exception fault) => (_replies[request], _faults[request]) = (RenewalReply.Unknown, fault);

    public bool Has(RenewalRequest request) => _replies.ContainsKey(request);

    public bool TryGet(RenewalRequest request, out RenewalReply reply) => _replies.TryGetValue(request, out reply);

    public bool TryGetFault(RenewalRequest request, [NotNullWhen(true)] out Exception? fault) => _faults.TryGetValue(request, out fault);
}
