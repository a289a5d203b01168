using Spectre.Console;

namespace SampleKit.Timeline;

/// <summary>The console: as it is on a terminal; plain lines of any length when the output goes to a file or a pipe.</summary>
public static class Terminal
{
    public static IAnsiConsole Open()
    {
        var console = AnsiConsole.Console;
        if (Console.IsOutputRedirected)
        {
            console.Profile.Width = int.MaxValue / 4;
            console.Profile.Capabilities.Ansi = false;
            console.Profile.Capabilities.ColorSystem = ColorSystem.NoColors;
        }

        return console;
    }
}
