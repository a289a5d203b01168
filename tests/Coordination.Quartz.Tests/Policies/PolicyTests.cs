using Coordination.Quartz.Names;
using Coordination.Quartz.Policies;
using Quartz;

namespace Coordination.Quartz.Tests.Policies;

/// <summary>How a job's options come together.</summary>
public sealed class PolicyTests
{
    [Fact]
    public void What_is_done_next_is_an_Action_and_its_property_says_when()
    {
        var actions = typeof(ExclusiveJobOptions).Assembly.GetExportedTypes().Where(type => type.IsEnum).ToList();
        Assert.NotEmpty(actions);
        Assert.All(actions, action => Assert.EndsWith("Action", action.Name, StringComparison.Ordinal));
        Assert.All(
            typeof(ExclusiveJobOptions).Assembly.GetExportedTypes().SelectMany(type => type.GetProperties())
                .Where(property => actions.Contains(Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType)),
            property => Assert.StartsWith("On", property.Name, StringComparison.Ordinal));
    }

    [Fact]
    public void The_defaults_are_those_of_the_documentation()
    {
        var policy = Find<Plain>()!;
        Assert.Equal("DEFAULT.job", policy.LockName);
        Assert.Equal((true, JobCrashAction.Skip), (policy.OncePerFireTime, policy.OnCrash));

        // What suits the fire.
        Assert.Equal((null, null, null), (policy.OnConflict, policy.MaxWait, policy.OnStoreUnavailable));
        Assert.Null(policy.MaxRunTime);
        Assert.Null(policy.LockOptions.LeaseDuration);
        Assert.Null(policy.LockOptions.LockAtLeastFor);
    }

    [Fact]
    public void A_job_is_exclusive_by_attribute_by_options_by_data_and_not_otherwise()
    {
        Assert.Null(Find<Bare>());
        Assert.NotNull(Find<Plain>());
        Assert.NotNull(Find<Bare>(o => o.ForJob<Bare>()));
        Assert.NotNull(Find<Bare>(o => o.ForJob(new JobKey("job"))));
        Assert.Null(Find<Bare>(o => o.ForJob(new JobKey("other"))));
        Assert.NotNull(Find<Bare>(data: new() { [ExclusiveJobData.IsExclusive] = "true" }));
        Assert.Null(Find<Plain>(data: new() { [ExclusiveJobData.IsExclusive] = false }));
        Assert.NotNull(Find(JobBuilder.Create<Bare>().WithIdentity("job").DisallowConcurrentAcrossCluster().Build()));
    }

    [Fact]
    public void An_attribute_is_inherited_and_counts_for_generic_jobs()
    {
        Assert.Equal(TimeSpan.FromSeconds(20), Find<Derived>()!.LockOptions.LeaseDuration);
        Assert.NotNull(Find<Import<string>>());
        Assert.Equal("imports", Find<Import<string>>(o => o.ForJob(typeof(Import<>), job => job.Name = "imports"))!.LockName);
        Assert.Equal("all", Find<Derived>(o => o.ForJob<IJob>(job => job.Name = "all"))!.LockName);
    }

    [Fact]
    [Failure("F74")]
    public void Options_for_a_generic_interface_or_base_class_count_for_all_types_made_of_it()
    {
        Assert.NotNull(Find<NorthImport>(o => o.ForJob(typeof(IImport<>))));
        Assert.NotNull(Find<NorthImport>(o => o.ForJob(typeof(ImportBase<>))));
        Assert.NotNull(Find<NorthImport>(o => o.ForJob(typeof(IImport<string>))));
        Assert.Null(Find<NorthImport>(o => o.ForJob(typeof(IImport<int>))));
        Assert.Null(Find<Bare>(o => o.ForJob(typeof(IImport<>))));
        Assert.Throws<ArgumentException>("jobType", () => new QuartzExclusivityOptions().ForJob(typeof(string)));
    }

    [Fact]
    public void Defaults_give_way_to_the_attribute_and_it_to_options_and_they_to_data()
    {
        Assert.Equal(TimeSpan.FromSeconds(20), Lease(null));
        Assert.Equal(TimeSpan.FromSeconds(20), Lease(o => o.Defaults.LeaseDuration = TimeSpan.FromSeconds(10)));
        Assert.Equal(TimeSpan.FromSeconds(30), Lease(Stronger));
        Assert.Equal(TimeSpan.FromSeconds(40), Lease(Stronger, new() { [ExclusiveJobData.LeaseDuration] = "00:00:40" }));
        Assert.Equal(TimeSpan.FromSeconds(50), Lease(Stronger, new() { [ExclusiveJobData.LeaseDuration] = TimeSpan.FromSeconds(50) }));
        Assert.Equal(JobConflictAction.Wait, Find<Derived>(Stronger)!.OnConflict);
        var built = JobBuilder.Create<Derived>().WithIdentity("job").DisallowConcurrentAcrossCluster(o => (o.LeaseDuration, o.OnCrash) = (TimeSpan.FromSeconds(60), JobCrashAction.Recover)).Build();
        Assert.Equal((TimeSpan.FromSeconds(60), JobCrashAction.Recover), (Find(built, Stronger)!.LockOptions.LeaseDuration, Find(built, Stronger)!.OnCrash));

        static TimeSpan? Lease(Action<QuartzExclusivityOptions>? configure, JobDataMap? data = null) => Find<Derived>(configure, data)!.LockOptions.LeaseDuration;
        static void Stronger(QuartzExclusivityOptions options) => options.ForJob<Derived>(job => job.LeaseDuration = TimeSpan.FromSeconds(30));
    }

    [Fact]
    public void A_name_is_filled_in_from_the_key_and_the_data()
    {
        var name = Find<Plain>(o => o.ForJob<Plain>(job => job.Name = "{group}/{name}:{tenant}:{number}"), new() { ["tenant"] = "north", ["number"] = 7 })!.LockName;
        Assert.Equal("DEFAULT/job:north:7", name);
        var failure = Assert.Throws<ArgumentException>(() => Find<Plain>(o => o.ForJob<Plain>(job => job.Name = "report:{tenant}")));
        Assert.Contains("'tenant'", failure.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Find<Plain>(o => o.ForJob<Plain>(job => job.Name = "report:{tenant}"), new() { ["tenant"] = "{x}" }));
    }

    [Theory]
    [InlineData(ExclusiveJobData.MaxWait, "soon")]
    [InlineData(ExclusiveJobData.MaxWait, "1")]
    [InlineData(ExclusiveJobData.LockAtLeastFor, "1")]
    [InlineData(ExclusiveJobData.LeaseDuration, "24:00:00")]
    [InlineData(ExclusiveJobData.MaxWait, "00:00:00")]
    [InlineData(ExclusiveJobData.MaxWait, "2.00:00:00")]
    [InlineData(ExclusiveJobData.LeaseDuration, "00:00:00.050")]
    [InlineData(ExclusiveJobData.LeaseDuration, "2.00:00:00")]
    [InlineData(ExclusiveJobData.LockAtLeastFor, "-00:00:01")]
    [InlineData(ExclusiveJobData.OncePerFireTime, "maybe")]
    [InlineData(ExclusiveJobData.OnConflict, "Fight")]
    [InlineData(ExclusiveJobData.OnCrash, "7")]
    [InlineData(ExclusiveJobData.OnStoreUnavailable, "Panic")]
    [InlineData(ExclusiveJobData.Name, "")]
    public void A_value_that_is_none_is_refused_with_its_name(string key, string value)
    {
        var failure = Assert.Throws<ArgumentException>(() => Find<Plain>(data: new() { [key] = value }));
        Assert.Contains(key.Split('.')[^1], failure.Message, StringComparison.Ordinal);
        Assert.Contains($"The job DEFAULT.job ({typeof(Plain)}) cannot be exclusive as it is set.", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [Failure("F83")]
    [InlineData(ExclusiveJobData.MaxWait, "30")]
    [InlineData(ExclusiveJobData.IsExclusive, "perhaps")]
    [InlineData(ExclusiveJobData.Name, "{tenant}")]
    [InlineData(ExclusiveJobData.Name, "a}b")]
    public void What_the_data_of_a_trigger_set_wrongly_is_told_with_the_trigger(string key, string value)
    {
        var job = JobBuilder.Create<Plain>().WithIdentity("job").Build();
        var trigger = TriggerBuilder.Create().ForJob(job).WithIdentity("nightly").UsingJobData(key, value).Build();
        var failure = Assert.Throws<ArgumentException>(
            () => new ExclusivePolicies(new QuartzExclusivityOptions()).Find(job, ExclusiveJobData.Merge(job, trigger), new JobName("job"), trigger));
        Assert.Contains("The job DEFAULT.job", failure.Message, StringComparison.Ordinal);
        Assert.Contains("trigger DEFAULT.nightly", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Failure("F83")]
    public void Options_that_are_out_of_range_are_told_with_the_jobs_that_they_are_for()
    {
        var options = new QuartzExclusivityOptions();
        options.ForJob<Plain>(job => job.MaxWait = TimeSpan.Zero).ForJob(new JobKey("report"), job => job.MaxWait = TimeSpan.Zero);
        var told = new QuartzExclusivityOptionsValidator().Validate(null, options).FailureMessage;
        Assert.Contains($"Coordination:Quartz, for jobs of type {typeof(Plain)}: MaxWait", told, StringComparison.Ordinal);
        Assert.Contains("Coordination:Quartz, for the job DEFAULT.report: MaxWait", told, StringComparison.Ordinal);
    }

    [Fact]
    public void An_attribute_with_a_duration_that_is_out_of_range_is_refused()
    {
        var failure = Assert.Throws<ArgumentException>(() => Find<BadlySet>());
        Assert.Contains("MaxWait is -00:00:01", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Recovering_needs_fire_times()
    {
        var options = new QuartzExclusivityOptions { FireTimeRetention = TimeSpan.FromSeconds(1) };
        options.ForJob<Plain>(job => (job.OnCrash, job.OncePerFireTime) = (JobCrashAction.Recover, false));
        var result = new QuartzExclusivityOptionsValidator().Validate(null, options);
        Assert.True(result.Failed);
        Assert.Equal(2, result.Failures!.Count());
        Assert.Contains("FireTimeRetention is 00:00:01", result.FailureMessage, StringComparison.Ordinal);
        Assert.Contains("OncePerFireTime", result.FailureMessage, StringComparison.Ordinal);
        Assert.True(new QuartzExclusivityOptionsValidator().Validate(null, new QuartzExclusivityOptions()).Succeeded);
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

    [DisallowConcurrentAcrossCluster]
    private sealed class Plain : Bare;

    [DisallowConcurrentAcrossCluster(OnConflict = JobConflictAction.Wait, LeaseDurationSeconds = 20)]
    private class Base : Bare;

    private sealed class Derived : Base;

    [DisallowConcurrentAcrossCluster(MaxWaitSeconds = -1)]
    private sealed class BadlySet : Bare;

    [DisallowConcurrentAcrossCluster]
    private sealed class Import<T> : Bare;

    private interface IImport<T>;

    private class ImportBase<T> : Bare, IImport<T>;

    private sealed class NorthImport : ImportBase<string>;
}
