using System.Text.RegularExpressions;

namespace Coordination.Model;

/// <summary>The page that says what each step of the models stands for quotes statements: each is still there.</summary>
public sealed partial class MappingTests
{
    [Fact]
    public async Task Each_statement_that_the_mapping_quotes_is_in_the_file_that_it_names()
    {
        var page = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "README.md"), TestContext.Current.CancellationToken);
        var quotes = Quotes().Matches(page);
        Assert.True(quotes.Count >= 30, $"The mapping quotes {quotes.Count} statements.");
        Assert.All(quotes, quote =>
        {
            var (file, statement) = (quote.Groups[1].Value, quote.Groups[2].Value);
            var code = Comments().Replace(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Sources", file)), "");
            Assert.True(code.Contains(statement, StringComparison.Ordinal), $"The code of {file} does not say `{statement}` any more: does the model still do what it does?");
        });
    }

    /// <summary>To the end of the line, in C# and in Lua.</summary>
    [GeneratedRegex(@"(//|--).*")]
    private static partial Regex Comments();

    [GeneratedRegex(@"([\w.-]+\.(?:lua|cs)) `([^`]+)`")]
    private static partial Regex Quotes();
}
