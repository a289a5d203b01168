using System.Globalization;
using Coordination.Chaos.Contenders;
using Coordination.Chaos.Scenarios;
using Coordination.Chaos.Workers;
using Coordination.TestKit.CommandLine;

namespace Coordination.Chaos.CommandLine;

/// <summary>What to run, and where to write it down.</summary>
/// <param name="Runs">In the order in which they run.</param>
/// <param name="Out">The folder of the reports; null for none.</param>
internal sealed record Arguments(IReadOnlyList<RunOptions> Runs, string? Out)
{
    private static readonly TimeSpan DefaultDuration = TimeSpan.FromSeconds(60);

    public static Arguments Parse(IReadOnlyList<string> words)
    {
        var scenarios = new List<Scenario>();
        var (seed, contender, duration, repeat) = (Random.Shared.Next(1_000_000), ContenderKind.Coordination, (TimeSpan?)null, 1);
        string? folder = null;
        for (var i = 0; i < words.Count; i++)
        {
            switch (words[i])
            {
                case "--seed":
                    seed = int.TryParse(ValueAfter(words, ref i), CultureInfo.InvariantCulture, out var number) ? number : throw new UsageException($"'{words[i]}' is no seed: it is a whole number.");
                    break;
                case "--duration":
                    duration = ParseDuration(ValueAfter(words, ref i));
                    break;
                case "--repeat":
                    repeat = int.TryParse(ValueAfter(words, ref i), CultureInfo.InvariantCulture, out var times) && times is > 0 and <= 10_000 ? times : throw new UsageException($"'{words[i]}' is no number of runs: it is 1 to 10000.");
                    break;
                case "--lock":
                    contender = Enum.TryParse<ContenderKind>(ValueAfter(words, ref i), ignoreCase: true, out var kind) && Enum.IsDefined(kind)
                        ? kind
                        : throw new UsageException($"There is no lock '{words[i]}'. There are: {string.Join(", ", Enum.GetNames<ContenderKind>())}.");
                    break;
                case "--out":
                    folder = ValueAfter(words, ref i);
                    break;
                case "all":
                    scenarios.AddRange(Catalogue.All);
                    break;
                default:
                    scenarios.Add(Catalogue.Find(words[i]) ?? throw new UsageException($"There is no scenario or option '{words[i]}'."));
                    break;
            }
        }

        if (scenarios.Count == 0)
        {
            scenarios.Add(Catalogue.Find("mixed")!);
        }

        if (!Contender.IsOurs(contender) && scenarios.Find(scenario => scenario.Workload != Workload.Locks) is { } other)
        {
            throw new UsageException($"{contender} is an exclusive lock and nothing else, and {other.Name} asks for more.");
        }

        if (scenarios.Find(scenario => Contender.NeedsPostgreSql(contender) is { } needs && needs != scenario.IsOnPostgreSql) is { } elsewhere)
        {
            throw new UsageException($"{contender} is not for {elsewhere.Server}, which {elsewhere.Name} is on.");
        }

        return new Arguments(
            [.. Enumerable.Range(seed, repeat).SelectMany(each => scenarios.Select(scenario => new RunOptions(scenario, contender, each, duration ?? (scenarios.Count > 1 ? scenario.Brief : DefaultDuration))))],
            folder);
    }

    /// <summary>Seconds, or a time as 00:05:00.</summary>
    private static TimeSpan ParseDuration(string text)
    {
        var duration = double.TryParse(text, CultureInfo.InvariantCulture, out var seconds) ? TimeSpan.FromSeconds(Math.Clamp(seconds, 0, 1e6))
            : TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var time) ? time
            : throw new UsageException($"'{text}' is no duration: give seconds, or a time as 00:05:00.");
        return duration >= TimeSpan.FromSeconds(5) && duration <= TimeSpan.FromHours(12)
            ? duration
            : throw new UsageException($"A duration of {duration} is out of range: 5 seconds to 12 hours.");
    }

    private static string ValueAfter(IReadOnlyList<string> words, ref int i) =>
        ++i < words.Count ? words[i] : throw new UsageException($"{words[i - 1]} needs a value.");
}
