using Coordination.Chaos.Contenders;
using Coordination.Chaos.Scenarios;

namespace Coordination.Chaos.CommandLine;

internal static class Help
{
    private static readonly (string Word, string Meaning)[] Options =
    [
        ("--seed", "decides when what happens to whom; a random one by default, which is printed"),
        ("--duration", "seconds, or a time as 00:05:00; 60 seconds by default"),
        ("--repeat", "how many runs, with the seeds that follow; 1 by default"),
        ("--lock", $"what is put to the test: {string.Join(", ", Enum.GetNames<ContenderKind>())}"),
        ("--out", "a folder for the report of each run: Markdown, a picture and the history"),
    ];

    private static int Width => Catalogue.All.Max(scenario => scenario.Name.Length) + 2;

    public static string Text => $"""
        Drives worker processes against real servers of Redis and PostgreSQL, does them harm, and judges from outside whether the locks kept their promises.

          dotnet run --project tests/Coordination.Chaos -- [SCENARIO…] [--seed S] [--duration D] [--repeat N] [--lock L] [--out FOLDER]
          dotnet run --project tests/Coordination.Chaos -- test [OPTION OF XUNIT…]

        {Table([("all", "every scenario below, each for its brief time unless --duration is given")])}

        {Table(Catalogue.All.Select(scenario => (scenario.Name, scenario.Summary)))}

        {Table(Options)}

        Without a scenario it is mixed. The exit code is 0 when nothing was found, 1 when something was, and 2 when it, or one of its runs, could not be run. A run whose servers or workers do not start says so, and the others go on.
        """;

    private static string Table(IEnumerable<(string Word, string Meaning)> rows) =>
        string.Join(Environment.NewLine, rows.Select(row => $"  {row.Word.PadRight(Width)}{row.Meaning}"));
}
