using Coordination.TestKit.Running;
using Xunit.Runner.Common;
using Xunit.Sdk;
using Xunit.v3;

namespace Coordination.Tests.TestKit;

public sealed class SelectionTests
{
    [Fact]
    public async Task Where_everything_is_there_all_tests_run() =>
        Assert.All(await SelectAsync(typeof(Sample)), test => Assert.Null(test.SkipReason));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task One_test_speaks_for_all_that_lack_the_same_and_each_case_of_a_theory_counts(bool enumeratesTheories)
    {
        var selected = await SelectAsync([typeof(Sample), typeof(Derived)], enumeratesTheories, Need.RedisServer);

        Assert.Equal(2, selected.Count(test => test.SkipReason is null));
        Assert.Equal(
            ["redis-server is missing: 8 tests were left out, and this is one of them. apt-get install redis-server"],
            selected.Select(test => test.SkipReason).OfType<string>());
    }

    [Fact]
    public async Task What_is_missing_is_said_by_a_test_for_each_thing()
    {
        var selected = await SelectAsync(typeof(Modelled), Need.Spin, Need.CCompiler);

        Assert.Equal(
            [
                "A C compiler with the headers of the C library is missing: 2 tests were left out, and this is one of them. apt-get install gcc libc6-dev",
                "spin is missing: 2 tests were left out, and this is one of them. apt-get install spin",
            ],
            selected.Select(test => test.SkipReason).Order());
    }

    [Fact]
    public async Task A_test_that_runs_alone_says_all_that_it_lacks() =>
        Assert.Equal(
            ["redis-server is missing: this test was left out. apt-get install redis-server\nA C compiler with the headers of the C library is missing: this test was left out. apt-get install gcc libc6-dev"],
            (await SelectAsync(typeof(Alone), Need.CCompiler, Need.RedisServer)).Select(test => test.SkipReason));

    [Fact]
    public async Task Without_the_long_tier_nothing_else_is_said_of_its_tests() =>
        Assert.Equal(
            ["The long tier is off: 2 tests were left out, and this is one of them. COORDINATION_LONG_TESTS=1 dotnet test"],
            (await SelectAsync(typeof(Modelled), Need.LongTier, Need.Spin)).Select(test => test.SkipReason));

    [Fact]
    public async Task The_long_tier_goes_without_saying_where_other_tests_run() =>
        Assert.All(await SelectAsync([typeof(Sample), typeof(Modelled)], true, Need.LongTier, Need.Spin), test => Assert.Null(test.SkipReason));

    [Fact]
    public async Task A_test_is_the_same_when_it_is_skipped()
    {
        var test = Assert.Single(await SelectAsync(typeof(Alone)));
        var skipped = Assert.Single(await SelectAsync(typeof(Alone), Need.RedisServer));

        Assert.Equal((test.UniqueID, test.TestCaseDisplayName, test.TestMethod.MethodName), (skipped.UniqueID, skipped.TestCaseDisplayName, skipped.TestMethod.MethodName));
    }

    [Fact]
    public async Task Where_another_project_speaks_nothing_is_said_and_what_can_run_does() =>
        Assert.Equal([null, null], (await SelectAsync([typeof(Sample), typeof(Derived)], true, elsewhere: null, Need.RedisServer)).Select(test => test.SkipReason));

    [Fact]
    public async Task Where_no_test_runs_the_reason_is_said_whoever_else_does() =>
        Assert.Equal(
            ["redis-server is missing: this test was left out. apt-get install redis-server"],
            (await SelectAsync([typeof(Alone)], true, elsewhere: null, Need.RedisServer)).Select(test => test.SkipReason));

    [Fact]
    public async Task What_is_said_for_the_other_projects_stands_before_what_to_do() =>
        Assert.Contains(
            "redis-server is missing: 4 tests were left out, and this is one of them. Others, too. apt-get install redis-server",
            (await SelectAsync([typeof(Sample)], true, elsewhere: " Others, too.", Need.RedisServer)).Select(test => test.SkipReason));

    private static Task<IReadOnlyCollection<IXunitTestCase>> SelectAsync(Type sample, params Need[] missing) => SelectAsync([sample], true, missing);

    private static Task<IReadOnlyCollection<IXunitTestCase>> SelectAsync(Type[] samples, bool enumeratesTheories, params Need[] missing) =>
        SelectAsync(samples, enumeratesTheories, elsewhere: "", missing);

    private static async Task<IReadOnlyCollection<IXunitTestCase>> SelectAsync(Type[] samples, bool enumeratesTheories, string? elsewhere, params Need[] missing)
    {
        var options = TestFrameworkOptions.ForDiscovery(new TestAssemblyConfiguration { PreEnumerateTheories = enumeratesTheories });
        var found = new List<IXunitTestCase>();
        await using var discoverer = new XunitTestFrameworkDiscoverer(new XunitTestAssembly(typeof(SelectionTests).Assembly, null, version: new Version(1, 0)));
        await discoverer.Find(Keep, options, samples, TestContext.Current.CancellationToken);
        return await new Selection(need => !missing.Contains(need), _ => Task.FromResult(elsewhere)).OfAsync(found);

        ValueTask<bool> Keep(ITestCase test)
        {
            found.Add((IXunitTestCase)test);
            return ValueTask.FromResult(true);
        }
    }

    // They are found by these tests alone, and never run.
#pragma warning disable xUnit1000, CA1812
    private class Sample
    {
        [Fact]
        public void Needs_nothing() => throw new NotSupportedException();

        [Fact]
        [Needs(Need.RedisServer)]
        public void Needs_a_server() => throw new NotSupportedException();

        [Theory]
        [InlineData(1)]
        [InlineData(2)]
        [InlineData(3)]
        [Needs(Need.RedisServer)]
        public void Needs_one_three_times(int number) => throw new NotSupportedException($"{number}");
    }

    private sealed class Derived : Sample;

    [Needs(Need.Spin, Need.CCompiler, Need.LongTier)]
    private sealed class Modelled
    {
        [Fact]
        public void One() => throw new NotSupportedException();

        [Fact]
        public void Two() => throw new NotSupportedException();
    }

    private sealed class Alone
    {
        [Fact]
        [Needs(Need.CCompiler)]
        [Needs(Need.RedisServer)]
        public void Needs_two_things() => throw new NotSupportedException();
    }
#pragma warning restore xUnit1000, CA1812
}
