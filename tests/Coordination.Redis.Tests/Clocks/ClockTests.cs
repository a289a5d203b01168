using Coordination.Redis.Tests.Servers;
using Coordination.Stores;
using Coordination.TestKit.Clocks;
using Coordination.TestKit.Servers;

namespace Coordination.Redis.Tests.Clocks;

/// <summary>A node on a server whose clock the test sets.</summary>
[Needs(Need.RedisServer, Need.CCompiler, Need.LongTier)]
public abstract class ClockTests : IAsyncLifetime
{
    private TestNode? _node;

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    protected ProcessClock? Clock { get; private set; }

    protected RedisProcess? Server { get; private set; }

    protected ILockStore Store => _node!.Store;

    private protected TestNode Node => _node!;

    public async ValueTask InitializeAsync()
    {
        Clock = await ProcessClock.CreateAsync();
        Server = await RedisProcess.StartAsync(Clock);
        _node = new TestNode(Server.ConnectionString, "test");
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await _node!.DisposeAsync();
        await Server!.DisposeAsync();
        Clock!.Dispose();
    }
}
