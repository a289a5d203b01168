using FlashSale.Rounds;
using SampleKit.Timeline;
using Spectre.Console;

namespace FlashSale.Report;

/// <summary>How far a round is: a bar on a terminal; a line for each quarter when the output goes to a file or a pipe.</summary>
internal sealed class RoundProgress(IAnsiConsole console, Chronicle timeline)
{
    public async Task<RoundResult> ShowAsync(Func<Action<int, int>, Task<RoundResult>> run)
    {
        if (Console.IsOutputRedirected)
        {
            return await run(TellQuarter);
        }

        return await console.Progress().AutoClear(true).Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new ElapsedTimeColumn()).StartAsync(async live =>
        {
            var bar = live.AddTask(Describe(0, 0), maxValue: Sale.Buyers);
            return await run((done, sold) =>
            {
                bar.Value = done;
                bar.Description = Describe(done, sold);
            });
        });
    }

    private void TellQuarter(int done, int sold)
    {
        if (done % (Sale.Buyers / 4) == 0)
        {
            timeline.Tell(Describe(done, sold));
        }
    }

    private static string Describe(int done, int sold) => $"{Format.Number(done)} of {Format.Number(Sale.Buyers)} buyers done, {Format.Number(sold)} items sold";
}
