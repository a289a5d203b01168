using System.Collections.Concurrent;
using Coordination.Hosting.Tests.Nodes;
using Coordination.Hosting.Tests.Periodic;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Hosting.Tests.DependencyInjection;

/// <summary>F68: which object does the work of a registration, and what it gets.</summary>
public sealed class ServiceInstanceTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [Failure("F68")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_singleton_that_the_application_registers_is_the_object_that_runs(bool isFirst)
    {
        await using var cluster = new Cluster();
        var own = new CountedService("own");
        var node = cluster.CreateNode("a", services =>
        {
            _ = isFirst
                ? services.AddSingleton(own).AddExclusiveBackgroundService<CountedService>()
                : services.AddExclusiveBackgroundService<CountedService>().AddSingleton(own);
        });
        await node.Host.StartAsync(Token);
        await Cluster.UntilAsync(() => own.Terms == 1, "the application's object works");
        Assert.Same(own, node.Host.Services.GetRequiredService<CountedService>());
    }

    [Fact]
    [Failure("F68")]
    public async Task What_the_container_makes_is_its_singleton_and_is_disposed_once()
    {
        await using var cluster = new Cluster();
        var node = cluster.CreateNode("a", services => services.AddSingleton("made").AddExclusiveBackgroundService<CountedService>());
        await node.Host.StartAsync(Token);
        var service = node.Host.Services.GetRequiredService<CountedService>();
        await Cluster.UntilAsync(() => service.Terms == 1, "the container's singleton works");
        await node.DisposeAsync();
        Assert.Equal(1, service.Disposals);
    }

    [Fact]
    [Failure("F68")]
    public async Task A_factory_makes_the_object_that_runs_and_may_return_a_singleton_of_the_container()
    {
        await using var cluster = new Cluster();
        var made = new CountedService("made");
        var node = cluster.CreateNode("a", services => services
            .AddSingleton(new CountedService("container's"))
            .AddExclusiveBackgroundService(provider => provider.GetRequiredService<CountedService>(), o => o.LockName = "one")
            .AddExclusiveBackgroundService<CountedService>("two", (_, name) => made, o => o.LockName = "two"));
        await node.Host.StartAsync(Token);
        await Cluster.UntilAsync(() => node.Host.Services.GetRequiredService<CountedService>().Terms == 1 && made.Terms == 1, "both work");
    }

    /// <summary>The container disposes its own singleton, and nobody disposes that once more.</summary>
    [Theory]
    [Failure("F68")]
    [InlineData("singleton")]
    [InlineData("keyed singleton")]
    [InlineData("one of several")]
    [InlineData("transient")]
    [InlineData("made by the factory")]
    public async Task What_a_factory_returns_is_disposed_once(string from)
    {
        await using var cluster = new Cluster();
        var node = cluster.CreateNode("a", services => services
            .AddSingleton("made")
            .AddSingleton<CountedService>()
            .AddKeyedSingleton<CountedService>("key")
            .AddTransient<DisposedWork>()
            .AddExclusiveBackgroundService<ExclusiveBackgroundService>("it", (provider, _) => from switch
            {
                "singleton" => provider.GetRequiredService<CountedService>(),
                "keyed singleton" => provider.GetRequiredKeyedService<CountedService>("key"),
                "one of several" => provider.GetServices<CountedService>().Last(),
                "transient" => provider.GetRequiredService<DisposedWork>(),
                _ => new CountedService("made"),
            }));
        await node.Host.StartAsync(Token);
        var service = node.Host.Services.GetServices<Hosting.Services.ExclusiveServiceRegistration>().Single().GetService(node.Host.Services);
        await node.DisposeAsync();
        Assert.Equal(1, service is DisposedWork work ? work.Disposals : ((CountedService)service).Disposals);
    }

    [Theory]
    [Failure("F68")]
    [InlineData("factory")]
    [InlineData("factory with a name")]
    [InlineData("singleton")]
    [InlineData("keyed singleton")]
    [InlineData("periodic factory")]
    public async Task A_factory_that_returns_null_stops_the_start_and_is_named(string which)
    {
        await using var cluster = new Cluster();
        var node = cluster.CreateNode("a", services => _ = which switch
        {
            "factory" => services.AddExclusiveBackgroundService(_ => (CountedService)null!),
            "factory with a name" => services.AddExclusiveBackgroundService("north", (_, _) => (CountedService)null!),
            "singleton" => services.AddSingleton<CountedService>(_ => null!).AddExclusiveBackgroundService<CountedService>(),
            "keyed singleton" => services.AddKeyedSingleton<CountedService>("north", (_, _) => null!).AddExclusiveBackgroundService<CountedService>("north"),
            _ => services.AddExclusivePeriodicService(_ => (CountedRuns)null!, o => o.Interval = TimeSpan.FromHours(1)),
        });
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => node.Host.StartAsync(Token));
        Assert.Contains("returned null", error.Message, StringComparison.Ordinal);
        Assert.Contains((which == "periodic factory" ? typeof(CountedRuns) : typeof(CountedService)).ToString(), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Failure("F68")]
    public async Task Each_registration_of_a_type_has_an_object_that_knows_its_name_and_its_leadership()
    {
        await using var cluster = new Cluster();
        var seen = new ConcurrentDictionary<string, string>();
        var node = cluster.CreateNode("a", services => services
            .AddSingleton(seen)
            .AddExclusiveBackgroundService<TenantService>("north")
            .AddExclusiveBackgroundService<TenantService>("south", o => o.LockName = "own"));
        await node.Host.StartAsync(Token);
        await Cluster.UntilAsync(() => seen.Count == 2, "both work");
        Assert.Equal($"Coordination.Hosting.Tests/{typeof(TenantService)}/north", seen["north"]);
        Assert.Equal("own", seen["south"]);
    }

    [Fact]
    [Failure("F68")]
    public async Task A_keyed_singleton_that_the_application_registers_is_the_object_of_its_name()
    {
        await using var cluster = new Cluster();
        var own = new CountedService("own");
        var node = cluster.CreateNode("a", services => services
            .AddSingleton("made")
            .AddKeyedSingleton("north", own)
            .AddExclusiveBackgroundService<CountedService>("north")
            .AddExclusiveBackgroundService<CountedService>("south"));
        await node.Host.StartAsync(Token);
        var south = node.Host.Services.GetRequiredKeyedService<CountedService>("south");
        await Cluster.UntilAsync(() => own.Terms == 1 && south.Terms == 1, "both work");
        Assert.NotSame(own, south);
    }

    [Theory]
    [Failure("F68")]
    [InlineData(ServiceLifetime.Scoped)]
    [InlineData(ServiceLifetime.Transient)]
    public async Task A_type_that_the_application_registers_as_no_singleton_stops_the_start(ServiceLifetime lifetime)
    {
        await using var cluster = new Cluster();
        var node = cluster.CreateNode("a", services =>
        {
            services.AddSingleton("made").AddExclusiveBackgroundService<CountedService>();
            services.Add(ServiceDescriptor.Describe(typeof(CountedService), typeof(CountedService), lifetime));
        });
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => node.Host.StartAsync(Token));
        Assert.Contains($"registered as {lifetime}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Failure("F68")]
    public async Task A_periodic_service_may_be_the_applications_a_factorys_or_one_for_each_name()
    {
        await using var cluster = new Cluster();
        var (own, made, runs) = (new CountedRuns("own"), new CountedRuns("made"), new ConcurrentDictionary<string, int>());
        var node = cluster.CreateNode("a", services => services
            .AddSingleton(own).AddSingleton(runs)
            .ConfigureAll<ExclusivePeriodicOptions>(o => o.Interval = TimeSpan.FromHours(1))
            .AddExclusivePeriodicService<CountedRuns>()
            .AddExclusivePeriodicService<CountedRuns>("made", (_, _) => made)
            .AddExclusivePeriodicService<TenantRuns>("north")
            .AddExclusivePeriodicService<TenantRuns>("south"));
        await node.Host.StartAsync(Token);
        await Cluster.UntilAsync(() => own.Runs == 1 && made.Runs == 1 && runs.Count == 2, "each has run");
        await node.Host.Services.GetRequiredKeyedService<IPeriodicTrigger<TenantRuns>>("north").RunNowAsync(Token);
        Assert.Equal((2, 1), (runs["north"], runs["south"]));
        Assert.Equal(1, own.Runs);
        Assert.Throws<InvalidOperationException>(() => new ServiceCollection().AddExclusivePeriodicService<CountingService>("x").AddExclusivePeriodicService<CountingService>("x"));
    }

    private sealed class DisposedWork : ExclusiveBackgroundService, IAsyncDisposable
    {
        public int Disposals { get; private set; }

        public ValueTask DisposeAsync()
        {
            Disposals++;
            return ValueTask.CompletedTask;
        }

        protected override Task ExecuteExclusiveAsync(ExclusiveTerm term, CancellationToken stoppingToken) => Task.Delay(Timeout.Infinite, stoppingToken);
    }

    private sealed class CountedService(string name) : ExclusiveBackgroundService, IDisposable
    {
        private volatile int _terms;

        public string Name => name;

        public int Terms => _terms;

        public int Disposals { get; private set; }

        public void Dispose() => Disposals++;

        protected override Task ExecuteExclusiveAsync(ExclusiveTerm term, CancellationToken stoppingToken)
        {
            Interlocked.Increment(ref _terms);
            return Task.Delay(Timeout.Infinite, stoppingToken);
        }
    }

    private sealed class TenantService(
        [ServiceKey] string tenant, [FromKeyedServices] ILeadership<TenantService> leadership, ConcurrentDictionary<string, string> seen) : ExclusiveBackgroundService
    {
        protected override Task ExecuteExclusiveAsync(ExclusiveTerm term, CancellationToken stoppingToken)
        {
            Assert.True(leadership.IsLeader);
            seen[tenant] = leadership.LockName;
            return Task.Delay(Timeout.Infinite, stoppingToken);
        }
    }

    private sealed class CountedRuns(string name) : ExclusivePeriodicService
    {
        private volatile int _runs;

        public string Name => name;

        public int Runs => _runs;

        protected override Task RunAsync(PeriodicRun run, CancellationToken stoppingToken)
        {
            Interlocked.Increment(ref _runs);
            return Task.CompletedTask;
        }
    }

    private sealed class TenantRuns([ServiceKey] string tenant, ConcurrentDictionary<string, int> runs) : ExclusivePeriodicService
    {
        protected override Task RunAsync(PeriodicRun run, CancellationToken stoppingToken)
        {
            runs.AddOrUpdate(tenant, 1, static (_, count) => count + 1);
            return Task.CompletedTask;
        }
    }
}
