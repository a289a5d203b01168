using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Coordination.Testing.Contracts.Nodes;
using Coordination.Testing.Contracts.Observations;
using Coordination.Testing.Contracts.Waiting;

namespace Coordination.Testing.Contracts;

#pragma warning disable CS1591, RS0016 // Tests say by their names what they show, and are no interface to code against.

/// <content>Many at once.</content>
public abstract partial class LockContract
{
    private static readonly TimeSpan StressDuration = TimeSpan.FromSeconds(3);

    [Fact]
    [Promise("G1", "G3")]
    [Trait("Needs", "LongTier")]
    [SuppressMessage("Security", "CA5394:Do not use insecure randomness", Justification = "It mixes the calls.")]
    public async Task Nodes_and_tasks_that_compete_for_a_few_locks_hold_each_one_at_a_time()
    {
        const int tasksPerNode = 4;
        var nodes = Enumerable.Range(0, 3).Select(_ => StartNode()).ToArray();
        var contested = Enumerable.Range(0, 3).Select(i => new Contested(string.Create(CultureInfo.InvariantCulture, $"{Name}-{i}"))).ToArray();
        using var time = new CancellationTokenSource(StressDuration);
        var workers = nodes.SelectMany(node => Enumerable.Repeat(node, tasksPerNode));

        var grantsByWorker = await AtOnce.Async(workers, WorkAsync, StressDuration + Bound);

        Assert.All(contested, c => c.AssertExclusive());
        Assert.Equal(grantsByWorker.Sum(), contested.Sum(c => c.Grants));
        Assert.True(DropsNotifications || grantsByWorker.All(grants => grants > 0), "A worker was never granted a lock.");
        foreach (var c in contested)
        {
            await AssertNothingLeftAsync(c.LockName);
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{contested.Sum(c => c.Grants)} grants");

        async Task<int> WorkAsync(Node node)
        {
            var grants = 0;
            while (!time.IsCancellationRequested || (grants == 0 && !DropsNotifications))
            {
                var c = Random.Shared.GetItems(contested, 1)[0];
                var timeout = TimeSpan.FromMilliseconds(Random.Shared.Next(200));
                await using var lease = await node.GetLock(c.LockName).TryAcquireAsync(timeout, Cancellation);
                if (lease is not null)
                {
                    await c.UseAsync(lease);
                    grants++;
                }
            }

            return grants;
        }
    }

    /// <summary>What only one may use at a time, and how it shows when two do.</summary>
    private sealed class Contested(string lockName)
    {
        private readonly HoldHistory _history = new();
        private readonly FencedResource _resource = new();
        private int _counter;

        public string LockName { get; } = lockName;

        public int Grants => _history.Count;

        public async Task UseAsync(ILockLease lease)
        {
            var from = TimeProvider.System.GetTimestamp();
            Assert.True(_resource.TryWrite(lease.FencingToken), $"The resource refused the token {lease.FencingToken}.");

            // Not atomic: it loses a count when another is between the same two lines.
            var read = _counter;
            await Task.Yield();
            _counter = read + 1;
            Assert.Equal(LeaseState.Held, lease.State);
            _history.Add(from, TimeProvider.System.GetTimestamp(), lease.FencingToken);
        }

        public void AssertExclusive()
        {
            _history.AssertOneAtATimeWithTokensThatGrow();
            Assert.Equal(Grants, _counter);
        }
    }
}
