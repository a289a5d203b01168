using System.Diagnostics.CodeAnalysis;
using Xunit.Sdk;
using Xunit.v3;

namespace Coordination.TestKit.Running;

/// <summary>Shuffles collections, classes, methods and the cases of a theory. The order depends on the seed of the run alone: <c>--seed 7</c>.</summary>
public sealed class ShuffledOrder : ITestCollectionOrderer, ITestClassOrderer, ITestMethodOrderer, ITestCaseOrderer
{
    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection => Shuffle(testCollections, collection => collection.UniqueID);

    public IReadOnlyCollection<TTestClass?> OrderTestClasses<TTestClass>(IReadOnlyCollection<TTestClass?> testClasses)
        where TTestClass : notnull, ITestClass => Shuffle(testClasses, testClass => testClass?.UniqueID);

    public IReadOnlyCollection<TTestMethod?> OrderTestMethods<TTestMethod>(IReadOnlyCollection<TTestMethod?> testMethods)
        where TTestMethod : notnull, ITestMethod => Shuffle(testMethods, method => method?.UniqueID);

    public IReadOnlyCollection<TTestCase> OrderTestCases<TTestCase>(IReadOnlyCollection<TTestCase> testCases)
        where TTestCase : notnull, ITestCase => Shuffle(testCases, test => test.UniqueID);

    /// <summary>From a known order and with a generator of its own: what runs beside it makes no difference.</summary>
    [SuppressMessage("Security", "CA5394:Do not use insecure randomness", Justification = "It shuffles tests.")]
    private static T[] Shuffle<T>(IEnumerable<T> all, Func<T, string?> id)
    {
        var shuffled = all.OrderBy(id, StringComparer.Ordinal).ToArray();
        new Random(Randomizer.Seed).Shuffle(shuffled);
        return shuffled;
    }
}
