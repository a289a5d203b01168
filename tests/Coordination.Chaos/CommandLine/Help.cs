using System.Text;
using Coordination.Chaos.Contenders;
using Coordination.Chaos.Scenarios;

namespace Coordination.Chaos.CommandLine;

internal static class Help
{
    public static string Text
    {
        get
        {
            var text = new StringBuilder("""
                Drives worker processes against real Redis servers, does them harm, and judges from outside whether the locks kept their promises.

                  dotnet run --project tests/Coordination.Chaos -- [SCENARIO…] [--seed S] [--duration D] [--repeat N] [--lock L] [--out FOLDER]

                  all               every scenario below, each for its brief time unless --duration is given

                """);
            text.AppendLine();
            foreach (var scenario in Catalogue.All)
            {
                text.Append("  ").Append(scenario.Name.PadRight(18)).AppendLine(scenario.Summary);
            }

            return text.Append($"""

                  --seed            decides when what happens to whom; a random one by default, which is printed
                  --duration        seconds, or a time as 00:05:00; 60 seconds by default
                  --repeat          how many runs, with the seeds that follow; 1 by default
                  --lock            what is put to the test: {string.Join(", ", Enum.GetNames<ContenderKind>())}
                  --out             a folder for the report of each run: Markdown, a picture and the history

                Without a scenario it is mixed. The exit code is 0 when nothing was found, 1 when something was, and 2 when it could not be run.
                """).ToString();
        }
    }
}
