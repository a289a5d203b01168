using Coordination.TestKit.Needs;
using Xunit.Sdk;
using Xunit.v3;

namespace Coordination.TestKit.Running;

/// <summary>Reports of a test that is due: it passes while it fails as it is expected to, and fails otherwise.</summary>
public sealed class ReversedResults(IMessageBus inner, DueAttribute due) : IMessageBus
{
    public int Failed { get; private set; }

    public bool QueueMessage(IMessageSinkMessage message) => inner.QueueMessage(message switch
    {
        ITestPassed passed => ToFailed(passed, $"This passes now: remove [Due(\"{due.With}\", …)]."),
        ITestFailed failed when failed.Messages.Any(said => said.Contains(due.Fails, StringComparison.Ordinal)) => ToPassed(failed),
        ITestFailed failed => ToFailed(failed, $"This is due with {due.With} and expected to fail with \"{due.Fails}\". It fails with: {string.Join('\n', failed.Messages)}\n{string.Join('\n', failed.StackTraces)}"),
        ITestCaseFinished finished => WithFailures(finished),
        _ => message,
    });

    /// <summary>What it passes to goes on.</summary>
    public void Dispose()
    {
    }

    private TestPassed ToPassed(ITestFailed test) => new()
    {
        AssemblyUniqueID = test.AssemblyUniqueID,
        TestCollectionUniqueID = test.TestCollectionUniqueID,
        TestClassUniqueID = test.TestClassUniqueID,
        TestMethodUniqueID = test.TestMethodUniqueID,
        TestCaseUniqueID = test.TestCaseUniqueID,
        TestUniqueID = test.TestUniqueID,
        ExecutionTime = test.ExecutionTime,
        FinishTime = test.FinishTime,
        Output = $"{test.Output}Fails as expected, until {due.With}: {string.Join('\n', test.Messages)}\n",
        Warnings = test.Warnings,
    };

    private TestFailed ToFailed(ITestResultMessage test, string reason)
    {
        Failed++;
        return new()
        {
            AssemblyUniqueID = test.AssemblyUniqueID,
            TestCollectionUniqueID = test.TestCollectionUniqueID,
            TestClassUniqueID = test.TestClassUniqueID,
            TestMethodUniqueID = test.TestMethodUniqueID,
            TestCaseUniqueID = test.TestCaseUniqueID,
            TestUniqueID = test.TestUniqueID,
            ExecutionTime = test.ExecutionTime,
            FinishTime = test.FinishTime,
            Output = test.Output,
            Warnings = test.Warnings,
            Cause = FailureCause.Assertion,
            ExceptionParentIndices = [-1],
            ExceptionTypes = [typeof(DueAttribute).FullName],
            Messages = [reason],
            StackTraces = [null],
        };
    }

    private TestCaseFinished WithFailures(ITestCaseFinished test) => new()
    {
        AssemblyUniqueID = test.AssemblyUniqueID,
        TestCollectionUniqueID = test.TestCollectionUniqueID,
        TestClassUniqueID = test.TestClassUniqueID,
        TestMethodUniqueID = test.TestMethodUniqueID,
        TestCaseUniqueID = test.TestCaseUniqueID,
        ExecutionTime = test.ExecutionTime,
        FinishTime = test.FinishTime,
        TestsFailed = Failed,
        TestsNotRun = test.TestsNotRun,
        TestsSkipped = test.TestsSkipped,
        TestsTotal = test.TestsTotal,
    };
}
