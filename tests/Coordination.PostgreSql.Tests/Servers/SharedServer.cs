using Coordination.PostgreSql.Stores;
using Coordination.TestKit.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Coordination.PostgreSql.Tests.Servers;

/// <summary>A test's part of a server that all tests share: a schema.</summary>
internal sealed class SharedServer(PostgreSqlFixture server, PostgreSqlNotifications notifications = PostgreSqlNotifications.Listen) : IAsyncDisposable
{
    private string? _connectionString;
    private Node? _node;

    public string Schema { get; } = "test_" + Guid.NewGuid().ToString("N")[..8];

    public async Task<Node> StartNodeAsync()
    {
        await StartAsync();
        _node = new Node(Use);
        await ExamineAsync(_node);
        return _node;
    }

    /// <summary>Before <see cref="Use"/>.</summary>
    public async Task StartAsync() => _connectionString = await server.GetConnectionStringAsync();

    public void Use(ICoordinationBuilder builder) =>
        builder.UsePostgreSql(_connectionString!, options =>
        {
            options.Schema = Schema;
            options.Notifications = notifications;
            options.PollInterval = TimeSpan.FromMilliseconds(200);
            options.MaxConnections = 10;
        });

    /// <summary>As the first host does at its start, before anybody asks for a lock.</summary>
    public async Task MakeTablesAsync()
    {
        await using var node = new Node(Use);
        await ExamineAsync(node);
    }

    private static Task ExamineAsync(Node node) => node.Services.GetRequiredService<PostgreSqlLockStore>().EnsureFitAsync(TestContext.Current.CancellationToken);

    public Task LoseAllDataAsync() => ExecuteAsync($"TRUNCATE {Schema}.locks, {Schema}.shares, {Schema}.fences");

    /// <summary>Nobody has it and nobody waits for it, in the rows as well.</summary>
    public async Task AssertOnlyTokenLeftAsync(string lockName)
    {
        await using var connection = await server.ConnectAsOperatorAsync();
        await using var command = new NpgsqlCommand($"""
            SELECT document, owner, (SELECT count(*) FROM {Schema}.shares s WHERE s.name = l.name), (SELECT count(*) FROM {Schema}.fences f WHERE f.name = l.name) FROM {Schema}.locks l WHERE name = $1
            """, connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = lockName });
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            Assert.DoesNotContain("grants", reader.GetString(0), StringComparison.Ordinal);
            Assert.DoesNotContain("waiters", reader.GetString(0), StringComparison.Ordinal);
            Assert.True(reader.IsDBNull(1));
            Assert.Equal((0, 0), (reader.GetInt64(2), reader.GetInt64(3)));
        }
    }

    public async Task ExecuteAsync(string text)
    {
        await using var connection = await server.ConnectAsOperatorAsync();
        await using var command = new NpgsqlCommand(text, connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Ends the node that it started.</summary>
    public ValueTask DisposeAsync() => _node?.DisposeAsync() ?? ValueTask.CompletedTask;
}
