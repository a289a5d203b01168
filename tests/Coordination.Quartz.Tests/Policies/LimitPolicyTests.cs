using Coordination.Quartz.Names;
using Coordination.Quartz.Policies;
using Coordination.Quartz.Tests.Schedulers;
using Coordination.Stores;
using Coordination.Stores.InMemory;
using Coordination.TestKit.Stores;
using Microsoft.Extensions.DependencyInjection;
using Quartz;

namespace Coordination.Quartz.Tests.Policies;

/// <summary>How many runs of a job there may be at a time: where it is set, and what it may be.</summary>
public sealed class LimitPolicyTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void A_limit_is_set_by_attribute_options_data_or_builder()
    {
        Assert.Equal(LockShare.PermitOf(3), Find<Three>()!.Share);
        Assert.Null(Find<One>()!.Share);
        Assert.Equal(LockShare.PermitOf(4), Find<Bare>(o => o.ForJob<Bare>(job => job.MaxConcurrentRuns = 4))!.Share);
        Assert.Equal(LockShare.PermitOf(5), Find<Three>(data: new() { [ExclusiveJobData.MaxConcurrentRuns] = "5" })!.Share);
        Assert.Equal(LockShare.PermitOf(6), Find<One>(data: new() { [ExclusiveJobData.MaxConcurrentRuns] = 6 })!.Share);
        Assert.Null(Find<Bare>(data: new() { [ExclusiveJobData.MaxConcurrentRuns] = 6 }));
        var built = Find(JobBuilder.Create<Bare>().WithIdentity("job").LimitConcurrencyAcrossCluster(7, job => job.LeaseDuration = TimeSpan.FromSeconds(20)).Build())!;
        Assert.Equal((LockShare.PermitOf(7), TimeSpan.FromSeconds(20)), (built.Share, built.LockOptions.LeaseDuration));
        Assert.Equal(LockShare.PermitOf(LockCapacity.MaxPermits), Find<Bare>(o => o.ForJob<Bare>(job => job.MaxConcurrentRuns = LockCapacity.MaxPermits))!.Share);
    }

    [Fact]
    public void What_says_one_at_a_time_takes_a_weaker_limit_away()
    {
        Assert.Null(Find<One>(o => o.Defaults.MaxConcurrentRuns = 4)!.Share);
        Assert.Equal(LockShare.PermitOf(3), Find<Three>(o => o.ForJob<Three>(job => job.Name = "report"))!.Share);
        Assert.Equal(LockShare.PermitOf(4), Find<One>(o => o.ForJob<One>(job => job.MaxConcurrentRuns = 4))!.Share);
        Assert.Null(Find<Three>(data: new() { [ExclusiveJobData.MaxConcurrentRuns] = "none" })!.Share);
        Assert.Null(Find(JobBuilder.Create<Three>().WithIdentity("job").DisallowConcurrentAcrossCluster().Build())!.Share);
        Assert.Null(Find(JobBuilder.Create<Bare>().WithIdentity("job").LimitConcurrencyAcrossCluster(3).DisallowConcurrentAcrossCluster().Build())!.Share);
    }

    [Fact]
    public void An_attribute_of_a_class_takes_the_place_of_an_inherited_one_of_either_kind()
    {
        Assert.Equal(LockShare.PermitOf(3), Find<InheritsThree>()!.Share);
        Assert.Equal(LockShare.PermitOf(2), Find<TwoOfOne>()!.Share);
        Assert.Equal(TimeSpan.FromSeconds(30), Find<TwoOfOne>()!.LockOptions.LeaseDuration);
    }

    [Theory]
    [InlineData("0", "MaxConcurrentRuns is 0. Use 1 to 10000")]
    [InlineData("-1", "MaxConcurrentRuns is -1. Use 1 to 10000")]
    [InlineData("10001", "MaxConcurrentRuns is 10001. Use 1 to 10000")]
    [InlineData("many", "'many' under Coordination.MaxConcurrentRuns, and must have a number from 1 to 10000, or None")]
    public void A_limit_that_is_none_is_refused_with_the_job_the_value_and_the_range(string value, string expected)
    {
        var failure = Assert.Throws<ArgumentException>(() => Find<Three>(data: new() { [ExclusiveJobData.MaxConcurrentRuns] = value }));
        Assert.Contains($"The job DEFAULT.job ({typeof(Three)}) cannot be exclusive as it is set.", failure.Message, StringComparison.Ordinal);
        Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
    }

    public static TheoryData<Type, string> Faults => new()
    {
        { typeof(None), "MaxConcurrentRuns is 0. Use 1 to 10000" },
        { typeof(TooMany), "MaxConcurrentRuns is 10001. Use 1 to 10000" },
        { typeof(Both), "take one of them away" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    [Failure("F86")]
    public async Task A_host_does_not_start_with_a_limit_that_is_none_or_with_both_attributes(Type job, string expected)
    {
        var failure = await Assert.ThrowsAsync<ArgumentException>(() => StartAsync(job, new InMemoryLockStore()));
        Assert.Contains($"The job DEFAULT.job ({job}) cannot be exclusive as it is set.", failure.Message, StringComparison.Ordinal);
        Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
        if (job == typeof(Both))
        {
            Assert.Contains("[DisallowConcurrentAcrossCluster]", failure.Message, StringComparison.Ordinal);
            Assert.Contains("[LimitConcurrencyAcrossCluster(3)]", failure.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    [Failure("F86")]
    public async Task A_host_does_not_start_with_a_limit_and_a_store_of_exclusive_locks_only()
    {
        var failure = await Assert.ThrowsAsync<ArgumentException>(() => StartAsync(typeof(Three), new ExclusiveStore()));
        Assert.Contains("MaxConcurrentRuns is 3, and the store 'memory' keeps exclusive locks only", failure.Message, StringComparison.Ordinal);
    }

    private static async Task StartAsync(Type job, ILockStore store)
    {
        var builder = TestScheduler.CreateBuilder(new Ledger(), "node");
        builder.Services.AddCoordination().AddQuartzExclusivity();
        builder.Services.AddSingleton(store);
        builder.Services.AddQuartz(quartz => quartz.AddJob(job, configure: configured => configured.WithIdentity("job").StoreDurably()));
        builder.Services.AddQuartzHostedService();
        using var host = builder.Build();
        await host.StartAsync(Cancellation);
    }

    private static ExclusivePolicy? Find<TJob>(Action<QuartzExclusivityOptions>? configure = null, JobDataMap? data = null)
        where TJob : IJob => Find(JobBuilder.Create<TJob>().WithIdentity("job").UsingJobData(data ?? []).Build(), configure);

    private static ExclusivePolicy? Find(IJobDetail job, Action<QuartzExclusivityOptions>? configure = null)
    {
        var options = new QuartzExclusivityOptions();
        configure?.Invoke(options);
        return new ExclusivePolicies(options).Find(job, job.JobDataMap, new JobName(job.Key.ToString()));
    }

    private class Bare : IJob
    {
        public ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default) => ValueTask.CompletedTask;
    }

    [DisallowConcurrentAcrossCluster(LeaseDurationSeconds = 20)]
    private class One : Bare;

    [LimitConcurrencyAcrossCluster(3)]
    private class Three : Bare;

    private sealed class InheritsThree : Three;

    [LimitConcurrencyAcrossCluster(2, LeaseDurationSeconds = 30)]
    private sealed class TwoOfOne : One;

    [LimitConcurrencyAcrossCluster(0)]
    private sealed class None : Bare;

    [LimitConcurrencyAcrossCluster(10_001)]
    private sealed class TooMany : Bare;

    [DisallowConcurrentAcrossCluster]
    [LimitConcurrencyAcrossCluster(3)]
    private sealed class Both : Bare;

    private sealed class ExclusiveStore() : DelegatingLockStore(new InMemoryLockStore()), ILockStore
    {
        bool ILockStore.KeepsShares => false;
    }
}
