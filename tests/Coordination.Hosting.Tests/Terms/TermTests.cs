using Coordination.Hosting.Tests.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Coordination.Hosting.Tests.Terms;

/// <summary>What the work is given: a term that it can read, that has a scope, and that it cannot release.</summary>
public sealed class TermTests
{
    [Fact]
    [Promise("G10")]
    [Failure("F60")]
    public async Task Nothing_of_a_term_releases_the_lock_also_not_by_a_cast()
    {
        await using var cluster = new Cluster();
        var tried = new TaskCompletionSource<object>(TaskCreationOptions.RunContinuationsAsynchronously);
        var work = new Work();
        work.Do = async (term, stoppingToken) =>
        {
            // As in: await using (lease).
            object lease = term;
            if (lease is IAsyncDisposable disposable)
            {
                await disposable.DisposeAsync();
            }

            tried.SetResult(lease);
            await Work.UntilToldAsync(term, stoppingToken);
        };
        var a = await cluster.StartNodeAsync("a", work: work);
        var given = await tried.Task.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        var b = await cluster.StartNodeAsync("b");
        Assert.False(given is ILockLease or IAsyncDisposable or IDisposable);
        Assert.DoesNotContain(given.GetType().GetProperties(), property => property.GetValue(given) is ILockLease);

        await cluster.AdvanceAsync(2 * Cluster.LeaseDuration, a.Work.Term);
        Assert.Equal((1, 0), (a.Work.Terms, b.Work.Terms));
        Assert.Equal(a.NodeId, (await cluster.HolderAsync(WorkingService.LockName))?.Owner.NodeId);
    }

    [Fact]
    [Failure("F60")]
    public async Task A_term_says_what_its_lease_says()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a");
        await a.LeadsAsync();
        var (term, holder) = (a.Work.Term, await cluster.HolderAsync(WorkingService.LockName));
        Assert.Equal((WorkingService.LockName, holder!.Owner, holder.FencingToken), (term.LockName, term.Owner, term.FencingToken));
        Assert.Equal((LeaseState.Held, null), (term.State, term.LossReason));
        Assert.Equal(Cluster.LeaseDuration * 4 / 5, term.Remaining);

        cluster.Store.Clear();
        await cluster.AdvanceUntilAsync(() => term.Lost.IsCancellationRequested, TimeSpan.FromSeconds(12), "the lease is lost");
        Assert.Equal((LeaseState.Lost, LeaseLossReason.NotOwner, TimeSpan.Zero), (term.State, term.LossReason, term.Remaining));
        Assert.Throws<LeaseLostException>(term.ThrowIfLost);
    }

    [Fact]
    [Promise("G10")]
    [Failure("F60")]
    public async Task Each_term_has_a_scope_that_is_disposed_after_the_work_and_before_the_release()
    {
        await using var cluster = new Cluster();
        var scopes = new Scopes();
        var a = await cluster.StartNodeAsync("a", services: services => services.AddSingleton(scopes).AddScoped<Scoped>(), work: new Work { Do = Use });
        await a.LeadsAsync();
        var b = await cluster.StartNodeAsync("b");
        await b.StandsByAsync();
        var first = a.Work.Term.Services.GetRequiredService<Scoped>();
        Assert.Same(first, a.Work.Term.Services.GetRequiredService<Scoped>());

        a.Work.Term.StepDown();
        await Cluster.UntilAsync(() => scopes.Disposing == 1, "the scope is being disposed");
        Assert.False(a.Work.IsRunning);
        await cluster.AdvanceAsync(Cluster.LeaseDuration / 2, a.Work.Term);
        Assert.Equal(a.NodeId, (await cluster.HolderAsync(WorkingService.LockName))?.Owner.NodeId);
        Assert.Equal(0, b.Work.Terms);

        scopes.Gate.SetResult();
        await b.LeadsAsync();
        await b.StopAsync();
        await Cluster.UntilAsync(() => a.Work.Terms == 2 && a.Work.IsRunning, "a leads again");
        Assert.NotSame(first, a.Work.Term.Services.GetRequiredService<Scoped>());

        static Task Use(ExclusiveTerm term, CancellationToken stoppingToken)
        {
            term.Services.GetRequiredService<Scoped>();
            return Work.UntilToldAsync(term, stoppingToken);
        }
    }

    [Fact]
    [Failure("F60")]
    public async Task A_scope_that_throws_when_it_is_disposed_is_said_and_keeps_no_lock()
    {
        await using var cluster = new Cluster();
        var work = new Work { Do = (term, stoppingToken) => Task.FromResult(term.Services.GetRequiredService<Broken>()) };
        var a = await cluster.StartNodeAsync("a", services: services => services.AddScoped<Broken>(), work: work);
        await Cluster.UntilAsync(() => a.Logged(1202) == 1, "the term is over");
        var line = Assert.Single(a.Log, record => record.Id.Id == 1214);
        Assert.Equal(LogLevel.Error, line.Level);
        Assert.IsType<InvalidOperationException>(line.Exception);
        Assert.Null(await cluster.HolderAsync(WorkingService.LockName));
        Assert.Equal(0, a.Logged(1204));
    }

    private sealed class Scopes
    {
        private volatile int _disposing;

        public TaskCompletionSource Gate { get; } = new();

        public int Disposing => _disposing;

        public Task DisposeAsync()
        {
            Interlocked.Increment(ref _disposing);
            return Gate.Task;
        }
    }

    private sealed class Scoped(Scopes scopes) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await scopes.DisposeAsync();
    }

    private sealed class Broken : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => throw new InvalidOperationException("thrown by the disposal");
    }
}
