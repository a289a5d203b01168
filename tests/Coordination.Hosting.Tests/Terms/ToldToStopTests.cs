using Coordination.Hosting.Tests.Nodes;
using Microsoft.Extensions.Logging;

namespace Coordination.Hosting.Tests.Terms;

/// <summary>Work that says with an exception of its own that it was told to stop, as database clients do.</summary>
public sealed class ToldToStopTests
{
    [Theory]
    [Promise("G10")]
    [Failure("F66")]
    [InlineData("stop")]
    [InlineData("step down")]
    [InlineData("longest term")]
    public async Task An_exception_after_the_work_was_told_to_stop_is_one_line_and_no_failure(string cause)
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a", o => o.MaxTerm = TimeSpan.FromMinutes(1), work: new Work { Do = ThrowWhenToldAsync });
        await a.LeadsAsync();
        switch (cause)
        {
            case "stop": await a.StopAsync(); break;
            case "step down": a.Work.Term.StepDown(TimeSpan.FromHours(1)); break;
            default:
                await cluster.AdvanceAsync(TimeSpan.FromSeconds(59), a.Work.Term);
                await cluster.AdvanceAsync(TimeSpan.FromSeconds(1));
                break;
        }

        await Cluster.UntilAsync(() => a.Logged(1213) >= 1, "the term is over");
        var line = a.Log.First(record => record.Id.Id == 1213);
        Assert.Equal(LogLevel.Information, line.Level);
        Assert.Contains(nameof(TimeoutException), line.Message, StringComparison.Ordinal);
        Assert.Null(line.Exception);
        Assert.DoesNotContain(a.Log, record => record.Level >= LogLevel.Warning || record.Id.Id == 1202);
    }

    [Fact]
    [Failure("F66")]
    public async Task An_exception_after_a_loss_is_a_warning_and_no_failure()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a", work: new Work { Do = ThrowWhenToldAsync });
        await a.LeadsAsync();
        cluster.Store.Clear();
        await cluster.AdvanceUntilAsync(() => a.Logged(1213) >= 1, TimeSpan.FromSeconds(12), "the term is over");
        var line = a.Log.First(record => record.Id.Id == 1213);
        Assert.Equal(LogLevel.Warning, line.Level);
        Assert.IsType<TimeoutException>(line.Exception);
        Assert.Equal(0, a.Logged(1204));
        await Cluster.UntilAsync(() => a.Work.Terms >= 2, "a leads again with no backoff");
    }

    private static async Task ThrowWhenToldAsync(ExclusiveTerm term, CancellationToken stoppingToken)
    {
        await Task.Delay(Timeout.Infinite, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        throw new TimeoutException("The command was cancelled.");
    }
}
