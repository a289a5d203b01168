using Coordination.TestKit.Running;
using Xunit.Runner.Common;
using Xunit.Sdk;
using Xunit.v3;

namespace Coordination.Tests.TestKit;

/// <summary>What is said of the tests of other projects counts those that the run would have of them.</summary>
public sealed class RunFiltersTests
{
    [Theory]
    [InlineData("One Two", "--seed", "7", "--dotnet-test-pipe", "One")]
    [InlineData("One", "--filter-class", "*+First")]
    [InlineData("One", "--filter-class=*+First")]
    [InlineData("One", "--filter-class:*+First", "--no-progress")]
    [InlineData("One Two", "--filter-class", "*+First", "*+Second")]
    [InlineData("Two", "--filter-not-class", "*+First")]
    [InlineData("Two", "--filter-method", "*.Two", "--filter-class", "*Second")]
    [InlineData("One", "--filter-not-method", "*.Two")]
    [InlineData("", "--filter-namespace", "Another")]
    [InlineData("", "--filter-not-namespace", "Coordination.Tests.TestKit")]
    [InlineData("One", "--filter-trait", "Promise=G7")]
    [InlineData("Two", "--filter-not-trait", "Promise=*")]
    [InlineData("One", "--filter-display-name", "*.One")]
    [InlineData("Two", "--filter-not-display-name", "*.One")]
    [InlineData("Two", "--filter-query", "/project/*/*/Two")]
    [InlineData("", "--filter-query", "/another/*/*/Two")]
    [InlineData("Two", "--filter", "FullyQualifiedName~Second")]
    public async Task Filters_pass_the_tests_that_the_runner_would_run(string names, params string[] arguments)
    {
        var filters = new RunFilters(arguments);
        var found = new List<string>();
        await using var discoverer = new XunitTestFrameworkDiscoverer(new XunitTestAssembly(typeof(RunFiltersTests).Assembly, null, version: new Version(1, 0)));
        await discoverer.Find(Keep, TestFrameworkOptions.ForDiscovery(new TestAssemblyConfiguration()), [typeof(First), typeof(Second)], TestContext.Current.CancellationToken);

        Assert.Equal(names, string.Join(' ', found.Order()));

        ValueTask<bool> Keep(ITestCase test)
        {
            if (filters.Pass("project", test))
            {
                found.Add(test.TestMethodName!);
            }

            return ValueTask.FromResult(true);
        }
    }

    // They are found by these tests alone, and never run.
#pragma warning disable xUnit1000, CA1812
    private sealed class First
    {
        [Fact]
        [Promise("G7")]
        public void One() => throw new NotSupportedException();
    }

    private sealed class Second
    {
        [Fact]
        public void Two() => throw new NotSupportedException();
    }
#pragma warning restore xUnit1000, CA1812
}
