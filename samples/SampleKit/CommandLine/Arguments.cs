using System.Globalization;

namespace SampleKit.CommandLine;

/// <summary>The words of a command line: <c>--name value</c>, and flags with no value.</summary>
public sealed class Arguments
{
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    public Arguments(IEnumerable<string> words, IReadOnlyCollection<string> names, IReadOnlyCollection<string> flags)
    {
        string? pending = null;
        foreach (var word in words)
        {
            if (pending is not null)
            {
                _values[pending] = word;
                pending = null;
            }
            else if (flags.Contains(word))
            {
                _values[word] = "";
            }
            else if (names.Contains(word))
            {
                pending = word;
            }
            else
            {
                throw new UsageException($"'{word}' is not an option. Try --help.");
            }
        }

        if (pending is not null)
        {
            throw new UsageException($"{pending} needs a value. Try --help.");
        }
    }

    public bool Has(string name) => _values.ContainsKey(name);

    public string? Text(string name) => _values.GetValueOrDefault(name);

    public int Number(string name, int byDefault, int min, int max) => (int)Parse(name, byDefault, min, max, "a whole number", NumberStyles.None);

    public TimeSpan Seconds(string name, TimeSpan byDefault, double min, double max) =>
        TimeSpan.FromSeconds(Parse(name, byDefault.TotalSeconds, min, max, "a number of seconds", NumberStyles.AllowDecimalPoint));

    private double Parse(string name, double byDefault, double min, double max, string kind, NumberStyles style)
    {
        if (!_values.TryGetValue(name, out var text))
        {
            return byDefault;
        }

        return double.TryParse(text, style, CultureInfo.InvariantCulture, out var value) && value >= min && value <= max
            ? value
            : throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"{name} is '{text}', and has to be {kind} from {min:0.#} to {max:0.#}."));
    }
}
