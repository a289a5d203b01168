using System.Reflection;
using Coordination.TestKit.Needs;
using Xunit.Sdk;
using Xunit.v3;

namespace Coordination.TestKit.Running;

/// <summary>A test that is expected to fail (<see cref="DueAttribute"/>): it runs as any other, and what is reported of it is turned round.</summary>
public sealed class DueTestCase : XunitTestCase, ISelfExecutingXunitTestCase
{
    private readonly IXunitTestCase _test;
    private readonly DueAttribute _due;

    private DueTestCase(IXunitTestCase test, DueAttribute due)
        : base(
            test.TestMethod, test.TestCaseDisplayName, test.UniqueID, test.Explicit,
            traits: test.Traits.ToDictionary(trait => trait.Key, trait => trait.Value.ToHashSet()),
            sourceFilePath: test.SourceFilePath, sourceLineNumber: test.SourceLineNumber)
    {
        _test = test;
        _due = due;
    }

    /// <summary>The test as it is to run.</summary>
    public static IXunitTestCase Of(IXunitTestCase test) =>
        test.SkipReason is null && test.TestMethod.Method.GetCustomAttribute<DueAttribute>() is { } due ? new DueTestCase(test, due) : test;

    public async ValueTask<RunSummary> Run(
        ExplicitOption explicitOption, IMessageBus messageBus, object?[] constructorArguments, ExceptionAggregator aggregator,
        CancellationTokenSource cancellationTokenSource, ParallelMode parallelMode, ExecutionScheduler scheduler, FixtureMappingManager methodFixtureMappings)
    {
        using var reversed = new ReversedResults(messageBus, _due);
        var summary = await XunitRunnerHelper.RunXunitTestCase(
            _test, reversed, cancellationTokenSource, parallelMode, scheduler, aggregator, explicitOption, constructorArguments, methodFixtureMappings);
        summary.Failed = reversed.Failed;
        return summary;
    }
}
