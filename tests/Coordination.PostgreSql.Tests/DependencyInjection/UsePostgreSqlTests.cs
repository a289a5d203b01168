using Coordination.TestKit.Nodes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Coordination.PostgreSql.Tests.DependencyInjection;

/// <summary>How the store is chosen, and which settings are refused. No server is asked.</summary>
public sealed class UsePostgreSqlTests
{
    private const string Local = "Host=localhost;Username=app;Password=hush-hush";

    [Theory]
    [InlineData("Schema", "")]
    [InlineData("Schema", "Mine")]
    [InlineData("Schema", "1st")]
    [InlineData("Schema", "a\"b")]
    [InlineData("Schema", "pg_mine")]
    [InlineData("Schema", "information_schema")]
    [InlineData("PollInterval", "00:00:00.01")]
    [InlineData("CommandTimeout", "00:00:00.01")]
    [InlineData("CommandTimeout", "00:00:06")]
    [InlineData("MaxConnections", "0")]
    [InlineData("ConnectionString", "Username=app;Password=hush-hush")]
    [InlineData("ConnectionString", "Host=localhost;Pasword=hush-hush")]
    [InlineData("ConnectionString", "Host=localhost;Port=hush-hush")]
    [InlineData("ConnectionString", "Host=localhost;Password=hush-hush;Port=99999", "99999", "65535")]
    [InlineData("ConnectionString", "Host=one:5432,two:70000;Password=hush-hush", "70000", "65535")]
    [InlineData("ConnectionString", "Host=localhost;Password=hush-hush;Connection Idle Lifetime=0", "Connection Idle Lifetime=0", "10 or more")]
    [InlineData("ConnectionString", "Host=localhost;Password=hush-hush;Connection Pruning Interval=0", "Connection Pruning Interval=0", "1 or more")]
    [InlineData("ConnectionString", "Host=localhost;Password=hush-hush;Read Buffer Size=1", "Read Buffer Size=1", "4096")]
    [InlineData("ConnectionString", "Host=localhost;Password=hush-hush;Write Buffer Size=1", "Write Buffer Size=1", "4096")]
    public async Task A_setting_that_is_out_of_its_range_is_named_and_its_secrets_are_not(string setting, string value, params string[] said)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection([new("Coordination:PostgreSql:ConnectionString", Local)])
            .AddInMemoryCollection([new("Coordination:PostgreSql:" + setting, value)])
            .Build();
        await using var node = new Node(builder =>
        {
            builder.Services.AddSingleton<IConfiguration>(configuration);
            builder.UsePostgreSql();
        });
        var refused = Assert.Throws<OptionsValidationException>(() => node.Store);
        Assert.Contains("Coordination:PostgreSql:" + setting, refused.Message, StringComparison.Ordinal);
        Assert.All(said, part => Assert.Contains(part, refused.Message, StringComparison.Ordinal));
        Assert.DoesNotContain("hush", refused.ToString(), StringComparison.Ordinal);
    }

    /// <summary>What the client would find out at each connection, or makes no lock work.</summary>
    [Theory]
    [InlineData("Port=99999", "99999", PostgreSqlNotifications.Listen)]
    [InlineData("Read Buffer Size=1", "4096", PostgreSqlNotifications.Listen)]
    [InlineData("Maximum Pool Size=2", "3 at least", PostgreSqlNotifications.Listen)]
    [InlineData("Maximum Pool Size=1", "2 at least", PostgreSqlNotifications.Poll)]
    public async Task A_data_source_that_never_works_is_refused_and_its_setting_is_named(string setting, string said, PostgreSqlNotifications notifications)
    {
        await using var source = NpgsqlDataSource.Create($"{Local};{setting}");
        await using var node = new Node(builder => builder.UsePostgreSql(source, options => options.Notifications = notifications));
        var refused = Assert.Throws<InvalidOperationException>(() => node.Store).Message;
        Assert.Contains(setting.Split('=')[^1], refused, StringComparison.Ordinal);
        Assert.Contains(said, refused, StringComparison.Ordinal);
        Assert.DoesNotContain("hush", refused, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Host=[::1]:5433;Password=hush-hush")]
    [InlineData("Host=::1;Password=hush-hush")]
    [InlineData("Host=/tmp;Password=hush-hush")]
    [InlineData("Host=one,two:5433;Password=hush-hush;Connection Idle Lifetime=10;Maximum Pool Size=1")]
    public async Task Hosts_of_all_forms_are_taken(string connectionString)
    {
        await using var node = new Node(builder => builder.UsePostgreSql(connectionString));
        Assert.Equal("postgresql", node.Store.Name);
    }

    [Fact]
    public async Task Without_a_database_the_error_says_how_to_give_one()
    {
        await using var node = new Node(builder => builder.UsePostgreSql());
        var refused = Assert.Throws<InvalidOperationException>(() => node.Store);
        Assert.Contains("NpgsqlDataSource", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_data_source_with_multiplexing_is_refused()
    {
        await using var source = NpgsqlDataSource.Create(Local + ";Multiplexing=true");
        await using var node = new Node(builder => builder.UsePostgreSql(source));
        Assert.Contains("Multiplexing", Assert.Throws<InvalidOperationException>(() => node.Store).Message, StringComparison.Ordinal);
    }

    /// <summary>What it leads to, the client tells nobody.</summary>
    [Theory]
    [InlineData(TargetSessionAttributes.Any)]
    [InlineData(TargetSessionAttributes.PreferStandby)]
    [InlineData(TargetSessionAttributes.Primary)]
    public async Task A_data_source_that_may_lead_to_a_standby_is_refused(TargetSessionAttributes target)
    {
        await using var hosts = new NpgsqlDataSourceBuilder("Host=one,two;Username=app;Password=hush-hush").BuildMultiHost();
        await using var node = new Node(builder => builder.UsePostgreSql(hosts.WithTargetSession(target)));
        var refused = Assert.Throws<InvalidOperationException>(() => node.Store);
        Assert.Contains("Give the NpgsqlMultiHostDataSource itself", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hush", refused.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_data_source_that_is_registered_is_used()
    {
        await using var source = NpgsqlDataSource.Create(Local);
        await using var node = new Node(builder =>
        {
            builder.Services.AddSingleton(source);
            builder.UsePostgreSql();
        });
        Assert.Equal("postgresql", node.Store.Name);
    }

    [Fact]
    [Failure("F30")]
    public async Task A_server_that_is_away_is_transient_and_no_message_has_the_password()
    {
        await using var node = new Node(builder => builder.UsePostgreSql(Local + ";Port=1"));
        var away = await Assert.ThrowsAsync<LockStoreException>(() => node.Administration.PingAsync(TestContext.Current.CancellationToken));
        Assert.True(away.IsTransient);
        Assert.Contains("localhost:1", away.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hush", away.ToString(), StringComparison.Ordinal);
        Assert.All(node.Logs.GetSnapshot(), line => Assert.DoesNotContain("hush", line.Message + line.Exception, StringComparison.Ordinal));
    }
}
