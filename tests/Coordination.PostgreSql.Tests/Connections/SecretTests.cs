using Coordination.PostgreSql.DependencyInjection;
using Coordination.PostgreSql.Tests.Servers;
using Coordination.TestKit.Nodes;
using Coordination.TestKit.Servers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Coordination.PostgreSql.Tests.Connections;

/// <summary>No password of a connection string in a log line, an exception or the result of a health check.</summary>
public sealed class SecretTests
{
    private const string Secret = "s3cr3t-pa55w0rd";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    [Needs(Need.PostgreSql)]
    public async Task Of_a_wrong_password_and_of_a_server_that_dies_no_secret_is_named()
    {
        await using var server = await PostgreSqlProcess.StartAsync();
        await server.ExecuteAsync("CREATE ROLE app LOGIN SUPERUSER PASSWORD 'another-pa55w0rd'");
        await File.WriteAllTextAsync(
            Path.Combine(server.Data, "pg_hba.conf"), "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n", Cancellation);
        await server.ExecuteAsync("SELECT pg_reload_conf()");
        var connectionString = $"Host=127.0.0.1;Port={server.Port};Username=app;Database=postgres;Password={Secret}";

        var refused = await AssertNothingLeaksAsync(connectionString);
        Assert.Contains("28P01", refused, StringComparison.Ordinal);

        await server.ExecuteAsync($"ALTER ROLE app PASSWORD '{Secret}'");
        await using var node = NodeOf(connectionString);
        var lease = await node.GetLock("one").AcquireAsync(Cancellation);
        await server.KillAsync();
        var said = new List<string> { (await lease.RenewAsync(Cancellation)).ToString() };
        await AssertCleanAsync(node, said);
        Assert.Contains("cannot connect", string.Join('\n', said), StringComparison.Ordinal);
    }

    [Fact]
    public Task With_a_host_out_of_reach_no_secret_is_named() => AssertNothingLeaksAsync($"Host=127.0.0.1;Port={FreePort.Take()};Username=app;Password={Secret}");

    [Fact]
    public Task With_an_unknown_host_no_secret_is_named() => AssertNothingLeaksAsync($"Host=host.invalid;Username=app;Password={Secret}");

    [Theory]
    [InlineData("Host=localhost;Password=" + Secret + ";Timeout=" + Secret)]
    [InlineData("Host=localhost;" + Secret + "=1")]
    [InlineData("Password=" + Secret)]
    [InlineData("postgres://app:" + Secret + "@localhost/app")]
    [InlineData("Host=localhost;Password=\"" + Secret)]
    public void Of_a_bad_connection_string_no_secret_is_named(string connectionString)
    {
        var validator = new PostgreSqlStoreOptionsValidator(Options.Create(new CoordinationOptions()));
        var result = validator.Validate(null, new PostgreSqlStoreOptions { ConnectionString = connectionString });
        Assert.True(result.Failed);
        Assert.DoesNotContain(Secret, result.FailureMessage, StringComparison.Ordinal);
    }

    private static Node NodeOf(string connectionString) => new(builder =>
    {
        builder.UsePostgreSql(connectionString);
        builder.Services.AddHealthChecks().AddCoordinationHealthCheck();
    });

    /// <returns>All that was said.</returns>
    private static async Task<string> AssertNothingLeaksAsync(string connectionString)
    {
        await using var node = NodeOf(connectionString);
        var said = new List<string>();
        foreach (var start in node.Services.GetServices<IHostedService>().OfType<IHostedLifecycleService>())
        {
            said.Add((await Record.ExceptionAsync(() => start.StartingAsync(Cancellation)))?.ToString() ?? "");
            said.Add((await Record.ExceptionAsync(() => start.StartedAsync(Cancellation)))?.ToString() ?? "");
        }

        await AssertCleanAsync(node, said);
        return string.Join('\n', said);
    }

    private static async Task AssertCleanAsync(Node node, List<string> said)
    {
        Func<Task>[] calls =
        [
            () => node.Administration.PingAsync(Cancellation),
            () => node.GetLock("two").TryAcquireAsync(Cancellation),
            () => node.GetLock("two").TryAcquireAsync(TimeSpan.FromSeconds(1), Cancellation),
            () => node.Inspector.InspectAsync("two", cancellationToken: Cancellation),
        ];
        foreach (var call in calls)
        {
            said.Add((await Assert.ThrowsAsync<LockStoreException>(call)).ToString());
        }

        var health = await node.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Cancellation);
        said.AddRange(health.Entries.Values.Select(entry => $"{entry.Status} {entry.Description} {entry.Exception} {string.Join(' ', entry.Data)}"));
        said.AddRange(node.Logs.GetSnapshot().Select(line => $"{line.Message} {line.Exception} {string.Join(' ', line.StructuredState ?? [])}"));
        Assert.DoesNotContain(said, line => line.Contains(Secret, StringComparison.OrdinalIgnoreCase));
    }
}
