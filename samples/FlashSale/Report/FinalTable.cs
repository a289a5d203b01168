using System.Globalization;
using FlashSale.Rounds;
using SampleKit.Timeline;
using Spectre.Console;

namespace FlashSale.Report;

/// <summary>The table at the end, what its columns are, and the verdict in words.</summary>
internal sealed class FinalTable(IAnsiConsole console, IReadOnlyList<RoundResult> results)
{
    public void Print()
    {
        console.WriteLine();
        console.Write(Table());
        console.WriteLine($"{Sale.Buyers} orders for {Sale.Items} items from {Sale.Workers} processes; a payment takes {Sale.PaymentTime.TotalMilliseconds:0} ms, a lock or lease lasts {Format.Seconds(Sale.Lease)}. In rounds 2a, 2b, 3b, 4a, 4b and 7 one holder takes longer than that, which is part of their time.");
        console.WriteLine("wait: from asking for the lock to having it; all come at once, so half of them wait for half of the others.");
        console.WriteLine(results.All(r => r.CommandsRun is null)
            ? "cmd/order: commands that the workers sent, a script being one. This server does not count what it carries out."
            : "cmd/order: commands that the workers sent, a script being one; and what the server counted, with the commands that scripts call.");
        console.WriteLine();
        PrintVerdict();
    }

    /// <summary>What is to be seen in one round.</summary>
    public static string Summarize(RoundResult result)
    {
        var text = $"{Format.Number(result.Sold)} sold of {Sale.Items}";
        text += result.IsExact ? ", each once" : $", and {Format.Number(result.SoldAgain)} of these sales were of an item that was sold already";
        text += result.Left == 0 ? "" : $"; the stock says that {Format.Number(result.Left)} are left";
        text += result.Refused == 0 ? "" : $"; {Format.Number(result.Refused)} refused";
        text += result.ForeignDeletions == 0 ? "" : $"; locks of others that were deleted: {Format.Number(result.ForeignDeletions)}";
        text += result.Reentries == 0 ? "" : $"; {Format.Number(result.Reentries)} re-entries";
        return text;
    }

    private Table Table()
    {
        var table = new Table { Border = Console.IsOutputRedirected ? TableBorder.Markdown : TableBorder.Simple };
        table.AddColumns("", "round", "sold", "oversold", "refused", "s", "orders/s", "cmd/order", "wait p50", "wait p99");
        foreach (var column in table.Columns)
        {
            column.NoWrap().Padding(0, 0, 1, 0);
        }

        table.Columns[1].NoWrap = false;
        for (var i = 2; i < table.Columns.Count; i++)
        {
            table.Columns[i].RightAligned();
        }

        foreach (var result in results)
        {
            table.AddRow(
                result.Round.Number,
                result.Round.Title,
                Paint(Format.Number(result.Sold), result.IsExact),
                Paint(Format.Number(result.Oversold), result.Oversold == 0),
                Format.Number(result.Refused),
                Decimal(result.Duration.TotalSeconds, "0.00"),
                Decimal(result.OrdersPerSecond, "0"),
                (result.CommandsSentPerOrder is { } sent ? Decimal(sent, "0.0") : "") + (result.CommandsRunPerOrder is { } run ? $"; {Decimal(run, "0.0")}" : ""),
                Milliseconds(result.LockWait(0.50)),
                Milliseconds(result.LockWait(0.99)));
        }

        return table;
    }

    private void PrintVerdict()
    {
        foreach (var result in results.Where(r => r is { Round.MustBeExact: false, IsExact: true }))
        {
            console.MarkupLine($"[yellow]Round {result.Round.Number} did not oversell this time, by luck. It is there to show that it can.[/]");
        }

        foreach (var result in results.Where(r => !r.HasPassed))
        {
            console.MarkupLine(result.IsExact
                ? $"[red bold]ROUND {result.Round.Number} SAW NO LATE WRITE REFUSED.[/]"
                : $"[red bold]ROUND {result.Round.Number} HAD TO BE EXACT AND WAS NOT:[/] {Markup.Escape(Summarize(result))}.");
        }

        var exact = results.Where(r => r.Round.MustBeExact).ToList();
        if (exact.Count > 0 && exact.TrueForAll(r => r.HasPassed))
        {
            console.MarkupLine($"[green bold]Every round that had to be exact was[/]: {string.Join(", ", exact.Select(r => r.Round.Number))}.");
        }
    }

    private static string Paint(string text, bool isGood) => $"[{(isGood ? "green" : "red")}]{text}[/]";

    private static string Decimal(double number, string format) => number.ToString(format, CultureInfo.InvariantCulture);

    private static string Milliseconds(TimeSpan? time) => time is { } wait ? $"{Decimal(wait.TotalMilliseconds, "0")} ms" : "";
}
