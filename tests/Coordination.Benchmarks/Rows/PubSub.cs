using System.Diagnostics;
using Coordination.Benchmarks.Reports;
using Coordination.Benchmarks.Servers;
using Coordination.TestKit.Servers;
using StackExchange.Redis;

namespace Coordination.Benchmarks.Rows;

/// <summary>
/// What telling a waiter's node costs a Cluster: by PUBLISH on the node's channel, which every master passes to every other over the
/// cluster bus, or by SPUBLISH on a channel in the lock's slot, which stays on its master and needs a subscription for each lock.
/// </summary>
internal sealed class PubSub : IRow
{
    private const int Locks = 300;
    private static readonly int[] Rates = [250, 1000, 4000];
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(5);

    /// <summary>For what is on its way still.</summary>
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(200);

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(5);

    private enum Way
    {
        None,
        Publish,
        ShardPublish,
    }

    public string Name => "pubsub";

    public string Summary => "handover notifications on a Cluster of three masters: PUBLISH beside SPUBLISH";

    public async Task<IReadOnlyList<Line>> MeasureAsync(Bench bench)
    {
        await using var cluster = await RedisCluster.StartAsync(nodeTimeout: TimeSpan.FromSeconds(15));
        await using var sender = await Connection.OpenAsync(cluster.ConnectionString, "sender");
        await using var listener = await Connection.OpenAsync(cluster.ConnectionString, "listener");
        var heard = new Samples();
        var lines = new List<Line> { await SubscribeAsync(listener, heard) };
        await SendAsync(sender, Way.None, Rates[^1], Window / 5);
        foreach (var rate in Rates)
        {
            foreach (var way in Enum.GetValues<Way>())
            {
                lines.Add(await LineAsync(cluster, sender, way, rate, heard));
            }
        }

        return lines;
    }

    private static string NodeChannel => "pubsub:v2:node:n1";

    private static string LockName(int number) => $"pubsub:v2:{{{number}}}";

    private static string LockChannel(int number) => $"pubsub:v2:{{{number}}}:node:n1";

    private static async Task<Line> SubscribeAsync(ConnectionMultiplexer listener, Samples heard)
    {
        var subscriber = listener.GetSubscriber();
        await subscriber.SubscribeAsync(RedisChannel.Literal("pubsub:warm-up"), (_, _) => { });
        var begun = Stopwatch.GetTimestamp();
        await subscriber.SubscribeAsync(RedisChannel.Literal(NodeChannel), (_, sentAt) => Hear(sentAt));
        var classic = Stopwatch.GetElapsedTime(begun);
        begun = Stopwatch.GetTimestamp();
        for (var number = 0; number < Locks; number++)
        {
            await subscriber.SubscribeAsync(RedisChannel.Sharded(LockChannel(number)), (_, sentAt) => Hear(sentAt));
        }

        var sharded = Stopwatch.GetElapsedTime(begun);
        return new Line(
            "to subscribe",
            $"SUBSCRIBE once for the node: {classic.TotalMilliseconds:F2} ms; SSUBSCRIBE for each lock: {sharded.TotalMilliseconds / Locks:F2} ms (one command and one round trip each, and as many to unsubscribe)");

        void Hear(RedisValue sentAt) => heard.Add(Stopwatch.GetElapsedTime((long)sentAt).TotalMilliseconds);
    }

    private static async Task<Line> LineAsync(RedisCluster cluster, ConnectionMultiplexer sender, Way way, int rate, Samples heard)
    {
        heard.Clear();
        var before = await Usage.OfAsync(cluster, sender);
        var sent = await SendAsync(sender, way, rate, Window);
        var used = await Usage.OfAsync(cluster, sender) - before;
        var name = way switch { Way.None => "no notification", Way.Publish => "PUBLISH", _ => "SPUBLISH" };
        return new Line(
            $"{rate} handovers/s by {name}",
            $"CPU of all masters {100 * used.Cpu / Window:F1} % = {used.Cpu.TotalMicroseconds / sent:F0} µs each; bus messages {used.BusMessages / (double)sent:F2} and {used.BusBytes / (double)sent:F0} bytes each; "
            + (heard.Count == 0 ? "none heard" : $"heard {heard.Count} of {sent}, p50 {heard.Median:F2}, p90 {heard.P90:F1}, p99 {heard.P99:F1} ms"));
    }

    /// <summary>Hands locks over, as far as the server is concerned: a write, and a notification out of the same script.</summary>
    private static async Task<int> SendAsync(ConnectionMultiplexer sender, Way way, int rate, TimeSpan window)
    {
        var script = "redis.call('SET', KEYS[1], ARGV[2])" + way switch
        {
            Way.None => string.Empty,
            Way.Publish => " redis.call('PUBLISH', ARGV[1], ARGV[2])",
            _ => " redis.call('SPUBLISH', ARGV[1], ARGV[2])",
        };
        var database = sender.GetDatabase();
        var replies = new List<Task>();
        var begun = Stopwatch.GetTimestamp();
        using var timer = new PeriodicTimer(Tick);
        while (await timer.WaitForNextTickAsync() && Stopwatch.GetElapsedTime(begun) < window)
        {
            var due = (int)(rate * Stopwatch.GetElapsedTime(begun).TotalSeconds);
            while (replies.Count < due)
            {
                var number = replies.Count % Locks;
                RedisValue channel = way == Way.Publish ? NodeChannel : LockChannel(number);
                replies.Add(database.ScriptEvaluateAsync(script, [LockName(number)], [channel, Stopwatch.GetTimestamp()]));
            }
        }

        await Task.WhenAll(replies);
        await Task.Delay(Settle);
        return replies.Count;
    }

    /// <summary>What the masters have used so far.</summary>
    private readonly record struct Usage(TimeSpan Cpu, long BusMessages, long BusBytes)
    {
        public static Usage operator -(Usage a, Usage b) => new(a.Cpu - b.Cpu, a.BusMessages - b.BusMessages, a.BusBytes - b.BusBytes);

        public static async Task<Usage> OfAsync(RedisCluster cluster, ConnectionMultiplexer connection)
        {
            var sum = default(Usage);
            foreach (var master in cluster.Masters)
            {
                var server = connection.GetServer(master.ConnectionString);
                var info = await server.InfoAsync();
                var bus = ((string)(await server.ExecuteAsync("CLUSTER", "INFO"))!).Split("\r\n");
                var messages = bus.Where(line => line.StartsWith("cluster_stats_messages_publish", StringComparison.Ordinal) && line.Contains("_sent:", StringComparison.Ordinal))
                    .Sum(line => long.Parse(line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..]));
                var cpu = double.Parse(Figure("used_cpu_user")) + double.Parse(Figure("used_cpu_sys"));
                // The server counts what it writes to clients; what else the process writes goes over the bus.
                var written = await WrittenAsync(master.ProcessId) - long.Parse(Figure("total_net_output_bytes"));
                sum = new Usage(sum.Cpu + TimeSpan.FromSeconds(cpu), sum.BusMessages + messages, sum.BusBytes + written);

                string Figure(string name) => info.SelectMany(section => section).First(pair => pair.Key == name).Value;
            }

            return sum;
        }

        private static async Task<long> WrittenAsync(int processId)
        {
            var path = $"/proc/{processId}/io";
            return File.Exists(path)
                ? (await File.ReadAllLinesAsync(path)).Where(line => line.StartsWith("wchar: ", StringComparison.Ordinal)).Sum(line => long.Parse(line["wchar: ".Length..]))
                : 0;
        }
    }
}
