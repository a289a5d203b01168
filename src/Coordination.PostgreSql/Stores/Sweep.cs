using Coordination.PostgreSql.Connections;
using Coordination.PostgreSql.Errors;
using Coordination.PostgreSql.Telemetry;
using Coordination.PostgreSql.Transactions;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Coordination.PostgreSql.Stores;

/// <summary>Forgets locks that nobody uses any more, now and then and beside the releases: a row outlives its lock by a day, for it remembers the last token.</summary>
internal sealed class Sweep(LockDatabase database, Statements statements, TransactionLimits limits, ILogger logger)
{
    private const int PageSize = 1000;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    // Nodes that started together do not all sweep together.
    private long _dueAt = Environment.TickCount64 + (long)(Random.Shared.NextDouble() * Interval.TotalMilliseconds);

    /// <summary>Begins when it is time, and goes on without its caller.</summary>
    public void BeginIfDue()
    {
        var dueAt = Interlocked.Read(ref _dueAt);
        var now = Environment.TickCount64;
        if (now >= dueAt && Interlocked.CompareExchange(ref _dueAt, now + (long)Interval.TotalMilliseconds, dueAt) == dueAt)
        {
            using (ExecutionContext.SuppressFlow())
            {
                _ = Task.Run(RunQuietlyAsync);
            }
        }
    }

    /// <summary>Forgets all that may be forgotten, a page at a time.</summary>
    /// <returns>How many locks.</returns>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        await ExecuteAsync(statements.DropMail, [], cancellationToken).ConfigureAwait(false);
        var (all, page) = (0, PageSize);
        while (page == PageSize)
        {
            page = await ExecuteAsync(statements.Forget, [LockTransaction.Number(PageSize)], cancellationToken).ConfigureAwait(false);
            all += page;
        }

        return all;
    }

    private Task<int> ExecuteAsync(string text, NpgsqlParameter[] parameters, CancellationToken cancellationToken) => database.AskAsync(
        connection => ShortTransaction.RunAsync(connection, limits, (int)Limit.TotalSeconds, text, parameters, read: null), Limit + Limit, cancellationToken);

    private async Task RunQuietlyAsync()
    {
        try
        {
            await RunAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (PostgreSqlErrorClassifier.TryClassify(e, "forget old locks", database.Address, isCommitSent: true, out var failure))
        {
            Log.NotForgotten(logger, failure.Message);
        }
    }
}
