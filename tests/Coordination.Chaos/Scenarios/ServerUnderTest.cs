using Coordination.Chaos.Checking;
using Coordination.Chaos.Faults;

namespace Coordination.Chaos.Scenarios;

/// <summary>What keeps the locks of a run, and what is done to it.</summary>
internal abstract class ServerUnderTest(ServerKind kind) : IAsyncDisposable
{
    public ServerKind Kind => kind;

    /// <summary>Where the server listens that one address leads to; null for those that are several, whose clients find out by themselves.</summary>
    public abstract int? Port { get; }

    /// <summary>How workers connect to it with nothing between.</summary>
    public abstract string ConnectionString { get; }

    /// <summary>How a worker connects to it, by way of a proxy where there is one.</summary>
    public abstract string ConnectionStringOf(string process, int? proxyPort);

    /// <summary>Does to it what a plan says, and returns when that is over.</summary>
    /// <param name="fault">What.</param>
    /// <param name="lockName">The lock that it is about.</param>
    /// <param name="worker">Whose connections it is about.</param>
    /// <param name="fleet">Everybody.</param>
    public abstract Task<ServerLoss> StrikeAsync(Fault fault, string lockName, string worker, Fleet fleet);

    /// <summary>What is on it that must not stay there when nobody uses it any more and the last lease is over; in words.</summary>
    /// <param name="hasFaults">Whether anything happened to anybody.</param>
    /// <param name="mayHaveDead">Whether that may have kept somebody from leaving in order.</param>
    public abstract Task<IReadOnlyList<string>> LeftAsync(bool hasFaults, bool mayHaveDead);

    /// <summary>What was committed in transactions that a lock guards, with the server's wall clock; known after <see cref="ReadAsync"/>.</summary>
    public IReadOnlyList<GuardedWrite> GuardedWrites { get; protected set; } = [];

    /// <summary>What each server that took over had.</summary>
    public List<Takeover> Takeovers { get; } = [];

    /// <summary>Reads what workers wrote, when they are gone.</summary>
    public virtual Task ReadAsync() => Task.CompletedTask;

    public abstract ValueTask DisposeAsync();

    public static async Task<ServerUnderTest> StartAsync(RunOptions options) => options.Scenario.IsOnPostgreSql
        ? await PostgreSqlUnderTest.StartAsync(options.Scenario.Server, options.Contender)
        : await RedisUnderTest.StartAsync(options.Scenario);
}
