using System.Diagnostics.CodeAnalysis;
using Coordination.Stores;
using Coordination.Testing.Contracts.Waiting;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Testing.Contracts.Nodes;

/// <summary>The nodes of a test, on a store that they share. They end with it.</summary>
/// <param name="useStore">Chooses the store for a node.</param>
/// <param name="lease">The lease duration of a node that is given no other.</param>
/// <param name="areDeaf">Whether no node hears anything of the store.</param>
internal sealed class NodesOfTest(Action<ICoordinationBuilder> useStore, TimeSpan lease, bool areDeaf) : IAsyncDisposable
{
    /// <summary>Outlasts every test.</summary>
    public static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    private readonly Stack<Node> _nodes = new();

    /// <summary>A node that is only looked through. Its calls have more time than those of the nodes whose leases are short.</summary>
    public Node Observer => field ??= Start(useStore, options => options.LeaseDuration = Long);

    /// <summary>Starts a node.</summary>
    public Node Start(Action<CoordinationOptions>? configure = null)
    {
        if (!areDeaf)
        {
            return Start(useStore, configure);
        }

        var (node, link) = StartLinked(configure);
        link.IsDeaf = true;
        return node;
    }

    /// <summary>Starts a node whose way to the store is in the test's hand.</summary>
    [SuppressMessage("Reliability", "CA2000:Dispose objects before losing scope", Justification = "The node that the link starts from ends with the test.")]
    public (Node Node, StoreLink Link) StartLinked(Action<CoordinationOptions>? configure = null)
    {
        var link = new StoreLink(Start(useStore, configure).Store);
        return (Start(builder => builder.Services.AddSingleton<ILockStore>(link), configure), link);
    }

    /// <summary>Waits until some time has passed on the store's own clock: a lock that is granted now for that long has lapsed.</summary>
    public async Task PassAsync(string clock, TimeSpan time, TimeSpan bound, CancellationToken cancellationToken)
    {
        await Observer.Store.AcquireAsync(Requests.Acquire(clock, new LockOwner("clock", 1), time, claimWindow: Long), cancellationToken);
        await Eventually.IsTrueAsync(async () => await Observer.Administration.GetHolderAsync(clock, cancellationToken) is null, time + bound, "Time passes.");
    }

    public async ValueTask DisposeAsync()
    {
        while (_nodes.TryPop(out var node))
        {
            await node.DisposeAsync();
        }
    }

    private Node Start(Action<ICoordinationBuilder> use, Action<CoordinationOptions>? configure)
    {
        var node = new Node(use, options =>
        {
            options.LeaseDuration = lease;
            options.ClaimWindow = areDeaf ? 2 * lease : Long;
            configure?.Invoke(options);
        });
        _nodes.Push(node);
        return node;
    }
}
