using Coordination.TestKit.Needs;
using Xunit.v3;

namespace Coordination.TestKit.Running;

/// <summary>
/// What of the tests of a run can run. Of those that cannot, one for each missing thing stays and is skipped: it says for all of them
/// what is missing, how many they are and what to do. The long tier is a choice and nothing that is missing: it is said only where
/// all tests that were asked for belong to it.
/// </summary>
public static class Selection
{
    public static async Task<IReadOnlyCollection<IXunitTestCase>> OfAsync(IReadOnlyCollection<IXunitTestCase> all, Func<Need, bool> isMet)
    {
        var selected = new List<IXunitTestCase>();
        var leftOut = new SortedDictionary<Need, List<IXunitTestCase>>();
        foreach (var test in all)
        {
            var missing = NeedsOf(test).Where(need => !isMet(need)).ToList();
            if (missing.Count == 0)
            {
                selected.Add(test);
            }

            // In a run without the long tier it does not matter what else its tests would need.
            foreach (var need in missing.Contains(Need.LongTier) ? [Need.LongTier] : missing)
            {
                leftOut.TryAdd(need, []);
                leftOut[need].Add(test);
            }
        }

        if (selected.Count > 0)
        {
            leftOut.Remove(Need.LongTier);
        }

        return [.. selected, .. await SayAsync(leftOut)];
    }

    private static IEnumerable<Need> NeedsOf(IXunitTestCase test) =>
        test.Traits.TryGetValue(NeedsAttribute.Trait, out var names) ? names.Select(name => Enum.Parse<Need>(name)) : [];

    private static async Task<IEnumerable<IXunitTestCase>> SayAsync(IReadOnlyDictionary<Need, List<IXunitTestCase>> leftOut)
    {
        var reasons = new Dictionary<IXunitTestCase, string>();
        foreach (var (need, tests) in leftOut)
        {
            // Another test for each need, and where there are too few one test says two reasons.
            var speaker = tests.Find(test => !reasons.ContainsKey(test)) ?? tests[0];
            var reason = Reason(Requirement.Of(need), await CountAsync(tests));
            reasons[speaker] = reasons.TryGetValue(speaker, out var earlier) ? $"{earlier}\n{reason}" : reason;
        }

        return reasons.Select(said => Skipped(said.Key, said.Value));
    }

    private static string Reason(Requirement requirement, int count) =>
        $"{requirement.Lack}: {(count == 1 ? "this test was left out" : $"{count} tests were left out, and this is one of them")}. {requirement.Remedy}";

    /// <summary>A theory that is not enumerated before it runs counts its cases all the same.</summary>
    private static async Task<int> CountAsync(List<IXunitTestCase> tests)
    {
        var count = 0;
        foreach (var test in tests)
        {
            count += (await test.CreateTests()).Count;
        }

        return count;
    }

    /// <summary>The same test, skipped before an instance or a fixture of its class is made.</summary>
    private static XunitTestCase Skipped(IXunitTestCase test, string reason) =>
        new(
            test.TestMethod, test.TestCaseDisplayName, test.UniqueID, test.Explicit, skipReason: reason,
            sourceFilePath: test.SourceFilePath, sourceLineNumber: test.SourceLineNumber);
}
