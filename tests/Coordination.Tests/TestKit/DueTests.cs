using Coordination.TestKit.Running;
using Xunit.Sdk;
using Xunit.v3;

namespace Coordination.Tests.TestKit;

public sealed class DueTests : IDisposable
{
    private readonly Sink _sink = new();
    private readonly ReversedResults _results;

    public DueTests() => _results = new ReversedResults(_sink, new DueAttribute("a cure", "it hurts"));

    public void Dispose()
    {
        _results.Dispose();
        _sink.Dispose();
    }

    [Fact]
    [Due("nothing, for it is here to fail", "it fails as it says")]
    public void A_test_that_is_due_is_green_while_it_fails_as_it_says() => Assert.Fail("Here it fails as it says.");

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [Due("nothing, for it is here to fail", "fails as it says")]
    public void So_is_each_case_of_a_theory(int number) => Assert.Fail($"The case {number} fails as it says.");

    [Fact]
    public void A_failure_that_is_expected_passes_and_is_told_in_the_output()
    {
        _results.QueueMessage(Failure("Still it hurts."));

        Assert.Contains("until a cure: Still it hurts.", Assert.IsAssignableFrom<ITestPassed>(_sink.Last).Output, StringComparison.Ordinal);
        Assert.Equal(0, _results.Failed);
    }

    [Fact]
    public void A_test_that_passes_is_red_and_says_to_remove_the_mark()
    {
        _results.QueueMessage(new TestPassed
        {
            AssemblyUniqueID = "assembly",
            TestCollectionUniqueID = "collection",
            TestClassUniqueID = "class",
            TestMethodUniqueID = "method",
            TestCaseUniqueID = "case",
            TestUniqueID = "test",
            ExecutionTime = 1,
            FinishTime = DateTimeOffset.UnixEpoch,
            Output = "",
            Warnings = null,
        });

        Assert.Contains("remove [Due(\"a cure\"", Assert.Single(Assert.IsAssignableFrom<ITestFailed>(_sink.Last).Messages), StringComparison.Ordinal);
        Assert.Equal(1, _results.Failed);
    }

    [Fact]
    public void A_failure_of_another_kind_is_red_and_says_what_it_is()
    {
        _results.QueueMessage(Failure("It broke."));

        Assert.Contains("It broke.", Assert.Single(Assert.IsAssignableFrom<ITestFailed>(_sink.Last).Messages), StringComparison.Ordinal);
        Assert.Equal(1, _results.Failed);
    }

    private static ITestFailed Failure(string message) =>
        TestFailed.FromException(new InvalidOperationException(message), "assembly", "collection", "class", "method", "case", "test", 1, "", null, DateTimeOffset.UnixEpoch);

    private sealed class Sink : IMessageBus
    {
        public IMessageSinkMessage? Last { get; private set; }

        public bool QueueMessage(IMessageSinkMessage message)
        {
            Last = message;
            return true;
        }

        public void Dispose()
        {
        }
    }
}
