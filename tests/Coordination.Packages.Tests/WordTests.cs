using System.Text.RegularExpressions;
using Coordination.Packages.Tests.Building;

namespace Coordination.Packages.Tests;

/// <summary>One word for one thing: what another word stands for, or what has several meanings, is written nowhere.</summary>
public sealed partial class WordTests
{
    [GeneratedRegex(@"\b(heed(s|ed|ing)?|mend(s|ed|ing)?|to be had|g(ive|ives|ave|iven|iving) (it |them )?back|made[- ]up|answer(s|ed|ing)?|LockLease)\b", RegexOptions.IgnoreCase)]
    private static partial Regex Avoided { get; }

    /// <summary>The core says occurrence.</summary>
    [GeneratedRegex(@"\b(fires?|fired|firing)\b", RegexOptions.IgnoreCase)]
    private static partial Regex OfQuartz { get; }

    [Fact]
    public void No_text_has_a_word_that_another_stands_for()
    {
        Assert.Contains("README.md", Tree.Texts);
        NoneOf(Tree.Texts.Where(path => !path.EndsWith($"/{nameof(WordTests)}.cs", StringComparison.Ordinal)), Avoided);
    }

    [Fact]
    public void Fires_are_of_Quartz() => NoneOf(
        Tree.Texts.Where(path => path.StartsWith("src/", StringComparison.Ordinal) && !path.StartsWith("src/Coordination.Quartz/", StringComparison.Ordinal)),
        OfQuartz);

    private static void NoneOf(IEnumerable<string> texts, Regex words)
    {
        var found = (
            from path in texts
            from line in File.ReadLines(Tree.PathTo(path)).Index()
            from word in words.Matches(line.Item)
            select $"{path}({line.Index + 1}): {word.Value}").ToList();
        Assert.True(found.Count == 0, string.Join('\n', found));
    }
}
