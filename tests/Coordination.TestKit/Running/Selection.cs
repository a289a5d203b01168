using Coordination.TestKit.Needs;
using Xunit.v3;

namespace Coordination.TestKit.Running;

/// <summary>
/// What of the tests of a project can run. Of those that cannot, one for each missing thing stays and is skipped: it says for all of them
/// what is missing, how many they are and what to do, also for the other projects of the same run. The long tier is a choice and nothing
/// that is missing: it is said only where all tests that were asked for belong to it.
/// </summary>
/// <param name="isMet">Whether a need is met.</param>
/// <param name="elsewhere">What is to be said of the other projects of the run; null where one of them speaks for this one, too.</param>
public sealed class Selection(Func<Need, bool> isMet, Func<Need, Task<string?>> elsewhere)
{
    public async Task<IReadOnlyCollection<IXunitTestCase>> OfAsync(IReadOnlyCollection<IXunitTestCase> all)
    {
        var selected = all.Where(test => MissingFor(test).Count == 0).ToList();
        var leftOut = LeftOut(all);
        if (selected.Count > 0)
        {
            leftOut.Remove(Need.LongTier);
        }

        return [.. selected, .. await SayAsync(leftOut, mustSpeak: selected.Count == 0)];
    }

    private SortedDictionary<Need, List<IXunitTestCase>> LeftOut(IReadOnlyCollection<IXunitTestCase> all) =>
        new(all.SelectMany(test => MissingFor(test), (test, need) => (test, need)).GroupBy(pair => pair.need, pair => pair.test).ToDictionary(tests => tests.Key, tests => tests.ToList()));

    /// <summary>In a run without the long tier it does not matter what else its tests would need.</summary>
    private List<Need> MissingFor(IXunitTestCase test)
    {
        var missing = NeedsOf(test).Where(need => !isMet(need)).ToList();
        return missing.Contains(Need.LongTier) ? [Need.LongTier] : missing;
    }

    private static IEnumerable<Need> NeedsOf(IXunitTestCase test) =>
        test.Traits.TryGetValue(NeedsAttribute.Trait, out var names) ? names.Select(name => Enum.Parse<Need>(name)) : [];

    /// <param name="leftOut">The tests that lack a thing.</param>
    /// <param name="mustSpeak">Whether no test runs: a run of none fails, so it says why, whoever else does.</param>
    private async Task<IEnumerable<IXunitTestCase>> SayAsync(IReadOnlyDictionary<Need, List<IXunitTestCase>> leftOut, bool mustSpeak)
    {
        var reasons = new Dictionary<IXunitTestCase, string>();
        foreach (var (need, tests) in leftOut)
        {
            var others = await elsewhere(need);
            if (others is null && !mustSpeak)
            {
                continue;
            }

            // Another test for each need, and where there are too few one test says two reasons.
            var speaker = tests.Find(test => !reasons.ContainsKey(test)) ?? tests[0];
            var reason = Reason(Requirement.Of(need), await CountAsync(tests), others);
            reasons[speaker] = reasons.TryGetValue(speaker, out var earlier) ? $"{earlier}\n{reason}" : reason;
        }

        return reasons.Select(said => Skipped(said.Key, said.Value));
    }

    private static string Reason(Requirement requirement, int count, string? others) =>
        $"{requirement.Lack}: {(count == 1 ? "this test was left out" : $"{count} tests were left out, and this is one of them")}.{others} {requirement.Remedy}";

    /// <summary>How many of the tests are left out for want of a thing.</summary>
    public Task<int> CountAsync(IEnumerable<IXunitTestCase> all, Need need) => CountAsync(all.Where(test => MissingFor(test).Contains(need)));

    /// <summary>A theory that is not enumerated before it runs counts its cases all the same.</summary>
    private static async Task<int> CountAsync(IEnumerable<IXunitTestCase> tests)
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
