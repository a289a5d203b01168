using System.Net.Sockets;
using Coordination.PostgreSql.Errors;
using Npgsql;

namespace Coordination.PostgreSql.Tests.Errors;

/// <summary>F30: what cannot be made on a server here, by its code.</summary>
public sealed class PostgreSqlErrorClassifierTests
{
    private const string Subject = "acquire the lock 'orders'";

    [Theory]
    [Failure("F30")]
    [InlineData("25006", true)]
    [InlineData("25P03", true)]
    [InlineData("40001", true)]
    [InlineData("40P01", true)]
    [InlineData("53100", true)]
    [InlineData("53200", true)]
    [InlineData("53300", true)]
    [InlineData("53400", true)]
    [InlineData("55P03", true)]
    [InlineData("57014", true)]
    [InlineData("57P01", true)]
    [InlineData("57P02", true)]
    [InlineData("57P03", true)]
    [InlineData("57P05", true)]
    [InlineData("58030", true)]
    [InlineData("08006", true)]
    [InlineData("08P01", true)]
    [InlineData("53999", true)]
    [InlineData("57999", true)]
    [InlineData("58999", true)]
    [InlineData("28000", false)]
    [InlineData("28P01", false)]
    [InlineData("3D000", false)]
    [InlineData("3F000", false)]
    [InlineData("42P01", false)]
    [InlineData("42703", false)]
    [InlineData("42883", false)]
    [InlineData("42501", false)]
    [InlineData("CF001", false)]
    [InlineData("22P05", false)]
    [InlineData("42704", false)]
    [InlineData("XX000", false)]
    public void Errors_of_the_server_are_transient_or_final(string code, bool isTransient)
    {
        var failure = Classify(Refusal(code), isCommitSent: false);
        Assert.Equal((isTransient, false), (failure.IsTransient, failure.MayBeApplied));
        Assert.Contains(Subject, failure.Message, StringComparison.Ordinal);
        Assert.Contains(code, failure.Message, StringComparison.Ordinal);
        Assert.Contains("localhost:5432", failure.Cause, StringComparison.Ordinal);
    }

    [Fact]
    [Failure("F30")]
    public void A_standby_that_refuses_to_begin_is_transient() =>
        Assert.True(Classify(new PostgresException("cannot set transaction read-write mode during recovery", "ERROR", "ERROR", "0A000"), isCommitSent: false).IsTransient);

    /// <summary>A row that somebody has is no outage.</summary>
    [Theory]
    [Failure("F30")]
    [InlineData("55P03", true)]
    [InlineData("40P01", true)]
    [InlineData("57014", false)]
    [InlineData("53300", false)]
    [InlineData("42501", false)]
    public void A_lock_that_is_busy_is_told_apart_from_a_server_that_is_away(string code, bool isBusy) =>
        Assert.Equal(isBusy, Classify(Refusal(code), isCommitSent: false).IsLockBusy);

    /// <summary>There is nothing to undo before a commit, nor where the server said no; and who knows where it said nothing.</summary>
    [Theory]
    [Failure("F40")]
    [InlineData("55P03", "ERROR", false)]
    [InlineData("53100", "ERROR", false)]
    [InlineData("57P01", "FATAL", true)]
    [InlineData("57P02", "WARNING", true)]
    [InlineData("25P03", "FATAL", true)]
    public void What_may_have_been_applied_is_told_apart(string code, string severity, bool mayBeApplied)
    {
        var refusal = new PostgresException("no", severity, severity, code);
        Assert.Equal(mayBeApplied, Classify(refusal, isCommitSent: true).MayBeApplied);
        Assert.False(Classify(refusal, isCommitSent: false).MayBeApplied);
    }

    [Theory]
    [Failure("F30", "F40")]
    [InlineData(false)]
    [InlineData(true)]
    public void A_lost_connection_and_a_late_reply_are_transient(bool isCommitSent)
    {
        foreach (var lost in (Exception[])[new NpgsqlException("lost", new IOException()), new NpgsqlException("late", new TimeoutException()), new TimeoutException(), new IOException(), new OperationCanceledException()])
        {
            var failure = Classify(lost, isCommitSent);
            Assert.Equal((true, isCommitSent), (failure.IsTransient, failure.MayBeApplied));
        }
    }

    /// <summary>Npgsql says so of a late connection as well as of a pool that is in use.</summary>
    [Fact]
    public void A_pool_that_has_no_connection_to_spare_is_named()
    {
        var failure = Classify(new NpgsqlException("The connection pool has been exhausted, either raise 'Max Pool Size' (currently 3) or 'Timeout' (currently 5 seconds) in your connection string.", new TimeoutException()), isCommitSent: false);
        Assert.Equal((true, false), (failure.IsTransient, failure.MayBeApplied));
        Assert.Contains("Maximum Pool Size", failure.Message, StringComparison.Ordinal);
        Assert.Contains("Maximum Pool Size", failure.Cause, StringComparison.Ordinal);
    }

    [Fact]
    public void A_certificate_that_is_not_accepted_is_final() =>
        Assert.False(Classify(new NpgsqlException("no", new System.Security.Authentication.AuthenticationException("The remote certificate is invalid.")), isCommitSent: false).IsTransient);

    [Fact]
    public void A_server_that_is_not_there_is_named()
    {
        var failure = Classify(new NpgsqlException("no", new SocketException((int)SocketError.ConnectionRefused)), isCommitSent: false);
        Assert.Equal("cannot connect to localhost:5432: connection refused.", failure.Cause);
    }

    [Fact]
    public void A_fault_of_this_program_is_none_of_the_server() =>
        Assert.False(PostgreSqlErrorClassifier.TryClassify(new InvalidOperationException(), Subject, "localhost:5432", isCommitSent: true, out _));

    private static PostgresException Refusal(string code) => new("the server's text", "ERROR", "ERROR", code);

    private static LockStoreException Classify(Exception exception, bool isCommitSent)
    {
        Assert.True(PostgreSqlErrorClassifier.TryClassify(exception, Subject, "localhost:5432", isCommitSent, out var failure));
        Assert.Same(exception, failure.InnerException);
        return failure;
    }
}
