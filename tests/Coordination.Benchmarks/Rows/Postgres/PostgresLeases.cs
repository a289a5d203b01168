using Coordination.Stores;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Benchmarks.Rows.Postgres;

/// <summary>Leases that are held and renewed by the store's own operations, when the row says so and not when a node would.</summary>
internal sealed class PostgresLeases : IAsyncDisposable
{
    /// <summary>How many a node renews in one statement.</summary>
    public const int PerStatement = 100;

    private const int AtOnce = 16;
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(10);

    private readonly ServiceProvider _services;
    private readonly RenewalRequest[] _renewals;

    private PostgresLeases(ServiceProvider services, int count)
    {
        _services = services;
        _renewals = new RenewalRequest[count];
    }

    private ILockStore Store => _services.GetRequiredService<ILockStore>();

    public static async Task<PostgresLeases> TakeAsync(string connectionString, string prefix, int count)
    {
        var services = new ServiceCollection();
        services.AddCoordination().UsePostgreSql(connectionString);
        var leases = new PostgresLeases(services.BuildServiceProvider(), count);
        await Parallel.ForEachAsync(Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (i, _) => await leases.TakeAsync($"{prefix}-{i}", i));
        return leases;
    }

    /// <summary>Renews some of them in one statement, as a node does.</summary>
    public async Task RenewAsync(int first, int count)
    {
        var replies = await Store.RenewAsync(new ArraySegment<RenewalRequest>(_renewals, first, count), CancellationToken.None);
        if (replies.Any(reply => reply != RenewalReply.Renewed))
        {
            throw new InvalidOperationException($"A lease was not renewed: {replies.First(reply => reply != RenewalReply.Renewed)}.");
        }
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    private async Task TakeAsync(string name, int number)
    {
        var owner = new LockOwner("bench-1-1", number);
        var reply = await Store.AcquireAsync(new AcquireRequest { LockName = name, Owner = owner, Entry = 1, LeaseDuration = Lease, ClaimWindow = TimeSpan.FromSeconds(2) }, CancellationToken.None);
        _renewals[number] = new RenewalRequest
        {
            LockName = name,
            Owner = owner,
            LeaseDuration = Lease,
            FencingToken = reply.FencingToken ?? throw new InvalidOperationException($"'{name}' is held."),
        };
    }
}
