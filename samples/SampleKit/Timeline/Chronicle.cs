using System.Globalization;
using SampleKit.Processes;
using Spectre.Console;

namespace SampleKit.Timeline;

/// <summary>The time line on the console: a line for each event, in colour where there is a terminal.</summary>
public sealed class Chronicle(IAnsiConsole console)
{
    private static readonly string[] Colours = ["deepskyblue1", "orange1", "mediumpurple2", "springgreen3", "hotpink", "khaki1"];

    private readonly Lock _gate = new();
    private readonly TimeSpan _started = MonotonicClock.Now;

    /// <summary>Something that concerns all.</summary>
    public void Tell(string text, Tone tone = Tone.Faint) => Write("", "default", text, tone);

    /// <summary>Something that concerns one replica.</summary>
    public void Tell(string replica, string text, Tone tone = Tone.Plain) => Write(replica, Colours[(replica[0] - 'A') % Colours.Length], text, tone);

    private void Write(string who, string colour, string text, Tone tone)
    {
        var time = (MonotonicClock.Now - _started).TotalSeconds.ToString("0.00", CultureInfo.InvariantCulture);
        var style = tone switch
        {
            Tone.Good => "green",
            Tone.Bad => "red",
            Tone.Faint => "grey",
            _ => "default",
        };
        lock (_gate)
        {
            console.MarkupLine($"[grey]{time,6}[/]  [{colour} bold]{who,-2}[/]  [{style}]{Markup.Escape(text)}[/]");
        }
    }
}
