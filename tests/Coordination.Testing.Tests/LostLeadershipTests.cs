using System.Threading.Channels;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Coordination.Testing.Tests;

/// <summary>The example of the package's README, as a user would write it.</summary>
public class LostLeadershipTests
{
    [Fact]
    [Failure("F26")]
    public async Task The_relay_stops_when_another_node_leads_and_comes_back_after_it()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(20));
        var store = new ControllableLockStore();
        var said = Channel.CreateUnbounded<string>();

        var builder = Host.CreateApplicationBuilder();
        builder.Services.AddSingleton(said.Writer);
        builder.Services.AddExclusiveBackgroundService<OutboxRelay>(o => o.LockName = "outbox");
        builder.Services
            .AddCoordination(o => o.LeaseDuration = TimeSpan.FromSeconds(1))
            .UseControllableStore(store);
        using var host = builder.Build();
        await host.StartAsync(limit.Token);
        Assert.Equal("leads", await said.Reader.ReadAsync(limit.Token));

        // The relay learns of it at its next renewal, a third of the lease away at most. The other node leads for a second, and dies.
        store.GrantTo("outbox", "another-node", TimeSpan.FromSeconds(1));
        Assert.Equal("stopped", await said.Reader.ReadAsync(limit.Token));
        Assert.Equal("leads", await said.Reader.ReadAsync(limit.Token));

        await host.StopAsync(limit.Token);
        Assert.Equal("stopped", await said.Reader.ReadAsync(limit.Token));
    }

    private sealed class OutboxRelay(ChannelWriter<string> said) : ExclusiveBackgroundService
    {
        protected override async Task ExecuteExclusiveAsync(ExclusiveTerm term, CancellationToken stoppingToken)
        {
            said.TryWrite("leads");
            try
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, stoppingToken);
            }
            finally
            {
                said.TryWrite("stopped");
            }
        }
    }
}
