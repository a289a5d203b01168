using System.Text.RegularExpressions;

namespace Coordination.Model;

/// <summary>The page that says what each step of the models stands for quotes statements: they are still where it says.</summary>
public sealed partial class MappingTests
{
    [Fact]
    public async Task Each_statement_that_the_mapping_quotes_is_on_the_lines_that_it_names()
    {
        var page = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "README.md"), TestContext.Current.CancellationToken);
        var quotes = Quotes().Matches(page);
        Assert.True(quotes.Count >= 30, $"The mapping quotes {quotes.Count} statements.");
        Assert.All(quotes, quote =>
        {
            var (file, first, statement) = (quote.Groups[1].Value, int.Parse(quote.Groups[2].Value), quote.Groups[3].Value);
            var lines = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Sources", file));
            var at = Array.FindIndex(lines, line => line.Contains(statement, StringComparison.Ordinal)) + 1;
            Assert.True(at > 0, $"{file} does not say `{statement}` any more: does the model still do what it does?");
            Assert.True(lines[first - 1].Contains(statement, StringComparison.Ordinal), $"{file} says `{statement}` on line {at}, and no longer on line {first}.");
        });
    }

    [GeneratedRegex(@"(\w+\.(?:lua|cs)):(\d+) `([^`]+)`")]
    private static partial Regex Quotes();
}
