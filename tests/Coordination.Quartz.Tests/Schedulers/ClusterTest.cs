using Coordination.TestKit.Servers;
using Coordination.TestKit.Waiting;
using Quartz;
using StackExchange.Redis;

namespace Coordination.Quartz.Tests.Schedulers;

/// <summary>A test with several nodes on one server.</summary>
public abstract class ClusterTest(AnyServerFixture shared) : IAsyncLifetime
{
    /// <summary>How long anything may take before the test fails.</summary>
    protected static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);

    private readonly List<TestScheduler> _nodes = [];
    private ConnectionMultiplexer? _connection;

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    protected string Prefix { get; } = "quartz-" + Guid.NewGuid().ToString("N")[..8];

    protected string Redis { get; private set; } = "";

    private protected Ledger Ledger { get; } = new();

    private protected IReadOnlyList<TestScheduler> Nodes => _nodes;

    private protected IDatabase Database => _connection!.GetDatabase();

    public virtual async ValueTask InitializeAsync()
    {
        Redis = await shared.GetConnectionStringAsync();
        _connection = await ConnectionMultiplexer.ConnectAsync(Redis);
    }

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await Task.WhenAll(_nodes.Select(node => node.DisposeAsync().AsTask()));
        if (_connection is not null)
        {
            await _connection.DisposeAsync();
        }
    }

    private protected async Task<TestScheduler> StartAsync(
        string name, Action<IQuartzBuilder> schedule, Action<QuartzExclusivityOptions>? exclusivity = null, bool waitsForJobs = true, Action<Microsoft.Extensions.DependencyInjection.IServiceCollection>? services = null)
    {
        var node = await TestScheduler.StartAsync(Redis, Prefix, Ledger, name, schedule, exclusivity, waitsForJobs, services);
        _nodes.Add(node);
        return node;
    }

    /// <summary>Whether a job's lock is held, as the server has it.</summary>
    private protected async Task<bool> IsHeldAsync(string lockName) =>
        (string?)await Database.StringGetAsync(LockKey(lockName)) is { } text && LockText.Parse(text).RestAt(await MicrosAsync()) > TimeSpan.Zero;

    private protected string LockKey(string lockName) => LockText.KeyOf(Prefix, lockName);

    /// <summary>The server's time.</summary>
    private protected async Task<long> MicrosAsync()
    {
        var time = (long[])(await Database.ExecuteAsync("TIME"))!;
        return (time[0] * 1_000_000) + time[1];
    }

    /// <summary>Waits until nothing runs any more, and shows that no lease is left.</summary>
    private protected async Task AssertNothingHeldAsync(string lockName)
    {
        await Until(() => _nodes.TrueForAll(node => node.FiresUnderWay == 0), "every fire is over");
        Assert.False(await IsHeldAsync(lockName), $"The lock {lockName} is left.");
    }

    protected static Task Until(Func<bool> condition, string what) => Eventually.IsTrueAsync(condition, Bound, what);
}
