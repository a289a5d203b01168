using System.Reflection;
using Coordination.TestKit.Needs;
using Xunit.Sdk;
using Xunit.v3;

namespace Coordination.TestKit.Running;

/// <summary>
/// xunit's own, with four differences: tests that cannot run here are left out (<see cref="Selection"/>), the seed of a run decides
/// the order of its tests (<see cref="ShuffledOrder"/>), of a test that is due a failure is expected (<see cref="DueTestCase"/>), and more tests run at a time than there are processors. Every test project has it by <c>tests/Directory.Build.props</c>.
/// </summary>
public sealed class TestFramework : XunitTestFramework
{
    private readonly string? _configFileName;

    public TestFramework()
    {
    }

    public TestFramework(string? configFileName)
        : base(configFileName) => _configFileName = configFileName;

    protected override ITestFrameworkExecutor CreateExecutor(Assembly assembly) =>
        new Executor(new XunitTestAssembly(assembly, _configFileName, version: assembly.GetName().Version));

    private sealed class Executor(IXunitTestAssembly assembly) : XunitTestFrameworkExecutor(assembly)
    {
        public override async ValueTask RunTestCases(
            IReadOnlyCollection<IXunitTestCase> testCases, IMessageSink executionMessageSink, ITestFrameworkExecutionOptions executionOptions, CancellationToken cancellationToken)
        {
            // With no seed the order is the same on every machine and for every build, where xunit takes another for each build.
            Randomizer.Seed = executionOptions.Seed() ?? 0;
            var selected = await new Selection(IsMet, new OneSpeaker(TestAssembly.Assembly, IsMet, Environment.GetCommandLineArgs()).ElsewhereAsync).OfAsync(testCases);
            if (executionOptions.MaxParallelThreads() is null && TestAssembly.Assembly.GetCustomAttribute<ParallelizationAttribute>() is null)
            {
                // Tests wait for the most part. A project whose tests keep the processors busy, by processes of their own, says how many run at a time.
                executionOptions.SetMaxParallelThreads(3 * Environment.ProcessorCount);
            }

            await base.RunTestCases([.. selected.Select(DueTestCase.Of)], executionMessageSink, executionOptions, cancellationToken);
        }

        private static bool IsMet(Need need) => Requirement.Of(need).IsMet;
    }
}
