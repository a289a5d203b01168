using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Coordination.PostgreSql.Tests.Servers;
using Coordination.TestKit.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Coordination.PostgreSql.Tests.Connections;

/// <summary>What a lock costs: how often a node sends something and waits for the reply, as a proxy counts it.</summary>
[Needs(Need.PostgreSql)]
public sealed class RoundTripTests(PostgreSqlFixture server)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Acquiring_and_releasing_cost_two_round_trips_each_and_renewing_costs_one()
    {
        var settings = new NpgsqlConnectionStringBuilder(await server.GetConnectionStringAsync());
        await using var counter = new RoundTrips(settings.Port);
        settings.Port = counter.Port;
        var schema = "trips_" + Guid.NewGuid().ToString("N")[..8];
        await using var node = new Node(
            builder => builder.UsePostgreSql(settings.ConnectionString, options => options.Schema = schema), options => options.LeaseDuration = TimeSpan.FromMinutes(5));

        // Connections are made and statements prepared.
        for (var i = 0; i < 3; i++)
        {
            await using var warm = await node.GetLock("one").AcquireAsync(Cancellation);
            await warm.RenewAsync(Cancellation);
        }

        await counter.ListensAsync();
        for (var i = 0; i < 3; i++)
        {
            var lease = (ILockLease?)null;
            Assert.Equal(2, await counter.CountAsync(async () => lease = await node.GetLock("one").AcquireAsync(Cancellation)));
            Assert.Equal(1, await counter.CountAsync(() => lease!.RenewAsync(Cancellation)));
            Assert.Equal(2, await counter.CountAsync(() => lease!.ReleaseAsync(Cancellation)));
        }

        // Nobody waits, so nobody was told; and nothing is asked while nothing happens.
        Assert.Equal(0, await counter.CountAsync(() => Task.Delay(TimeSpan.FromSeconds(2), Cancellation)));
    }

    /// <summary>One statement is a transaction of its own, whoever made the session.</summary>
    [Theory]
    [InlineData(PostgreSqlNotifications.Listen)]
    [InlineData(PostgreSqlNotifications.Poll)]
    public async Task Renewing_costs_one_round_trip_on_connections_that_others_use_as_well(PostgreSqlNotifications notifications)
    {
        var settings = new NpgsqlConnectionStringBuilder(await server.GetConnectionStringAsync());
        await using var counter = new RoundTrips(settings.Port);
        settings.Port = counter.Port;
        await using var source = NpgsqlDataSource.Create(settings.ConnectionString);
        var schema = "trips_" + Guid.NewGuid().ToString("N")[..8];
        await using var node = new Node(
            builder => builder.UsePostgreSql(source, options =>
            {
                options.Schema = schema;
                options.Notifications = notifications;
                options.PollInterval = TimeSpan.FromMinutes(1);
            }),
            options => options.LeaseDuration = TimeSpan.FromMinutes(5));
        await using var lease = await node.GetLock("one").AcquireAsync(Cancellation);
        await lease.RenewAsync(Cancellation);
        if (notifications == PostgreSqlNotifications.Listen)
        {
            await counter.ListensAsync();
        }

        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(1, await counter.CountAsync(() => lease.RenewAsync(Cancellation)));
        }
    }

    /// <summary>
    /// Carries connections to a server, and counts how often something is sent there after something came back; but not on the connection that listens, which is made beside the
    /// first call, and is asked now and then whether it is alive.
    /// </summary>
    private sealed class RoundTrips : IAsyncDisposable
    {
        private static readonly byte[] Listen = "LISTEN "u8.ToArray();
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly ConcurrentBag<Carried> _carried = [];
        private readonly TaskCompletionSource _listens = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly int _serverPort;
        private readonly Task _accepting;

        public RoundTrips(int serverPort)
        {
            _serverPort = serverPort;
            _listener.Start();
            _accepting = AcceptAsync();
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        /// <summary>Of what one does beside the calls, nothing is counted from then on.</summary>
        public Task ListensAsync() => _listens.Task.WaitAsync(TimeSpan.FromSeconds(30), Cancellation);

        public async Task<int> CountAsync(Func<Task> act)
        {
            var before = Count();
            await act();
            return Count() - before;
        }

        public async ValueTask DisposeAsync()
        {
            _listener.Dispose();
            await _accepting;
        }

        private int Count() => _carried.Sum(static one => one.Listens ? 0 : one.Count);

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                {
                    _ = CarryAsync(await _listener.AcceptSocketAsync());
                }
            }
            catch (Exception ended) when (ended is SocketException or ObjectDisposedException)
            {
                // Disposed.
            }
        }

        private async Task CarryAsync(Socket client)
        {
            using var server = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            using (client)
            {
                await server.ConnectAsync(IPAddress.Loopback, _serverPort);
                var one = new Carried();
                _carried.Add(one);
                await Task.WhenAny(
                    PumpAsync(client, server, sent =>
                    {
                        one.Count += 1 - Interlocked.Exchange(ref one.Waits, 1);
                        one.Listens |= sent.IndexOf(Listen) >= 0;
                    }),
                    PumpAsync(server, client, _ =>
                    {
                        Volatile.Write(ref one.Waits, 0);
                        if (one.Listens)
                        {
                            _listens.TrySetResult();
                        }
                    }));
            }
        }

        private static async Task PumpAsync(Socket from, Socket to, Carry carry)
        {
            var buffer = new byte[64 * 1024];
            try
            {
                while (await from.ReceiveAsync(buffer) is > 0 and var length)
                {
                    carry(buffer.AsSpan(0, length));
                    await to.SendAsync(buffer.AsMemory(0, length));
                }
            }
            catch (Exception ended) when (ended is SocketException or ObjectDisposedException)
            {
                // Either side ended it.
            }
        }

        private delegate void Carry(ReadOnlySpan<byte> bytes);

        private sealed class Carried
        {
            /// <summary>One where something was sent and nothing has come back.</summary>
            public int Waits;
            public volatile int Count;
            public volatile bool Listens;
        }
    }
}
