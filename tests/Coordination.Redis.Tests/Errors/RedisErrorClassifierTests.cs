using Coordination.Redis.Errors;
using StackExchange.Redis;

namespace Coordination.Redis.Tests.Errors;

/// <summary>F30: what cannot be made on a server here, by its text; the texts are those that servers send.</summary>
public sealed class RedisErrorClassifierTests
{
    [Theory]
    [Failure("F30")]
    [InlineData("READONLY You can't write against a read only replica. script: 8d1c, on @user_script:12.", true)]
    [InlineData("ERR Unknown Redis command called from script script: 4f43, on @user_script:4.", false)]
    [InlineData("ERR Error running script (call to f_8d1c): @user_script:12: @user_script: 12: -READONLY You can't write against a read only replica.", true)]
    [InlineData("LOADING Redis is loading the dataset in memory", true)]
    [InlineData("CLUSTERDOWN The cluster is down", true)]
    [InlineData("CLUSTERDOWN Hash slot not served", true)]
    [InlineData("TRYAGAIN Multiple keys request during rehashing of slot", true)]
    [InlineData("MOVED 3999 127.0.0.1:6381", true)]
    [InlineData("ASK 3999 127.0.0.1:6381", true)]
    [InlineData("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", true)]
    [InlineData("NOSCRIPT No matching script. Please use EVAL.", true)]
    [InlineData("BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.", true)]
    [InlineData("MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.", true)]
    [InlineData("OOM command not allowed when used memory > 'maxmemory'.", true)]
    [InlineData("NOREPLICAS Not enough good replicas to write.", true)]
    [InlineData("ERR max number of clients reached", true)]
    [InlineData("WRONGTYPE Operation against a key holding the wrong kind of value", false)]
    [InlineData("NOAUTH Authentication required.", false)]
    [InlineData("WRONGPASS invalid username-password pair or user is disabled.", false)]
    [InlineData("NOPERM User app has no permissions to run the 'evalsha' command", false)]
    [InlineData("ERR The user executing the script can't publish to the channel mentioned in the command script: 8d1c, on @user_script:57.", false)]
    [InlineData("ERR unknown command 'EVALSHA', with args beginning with: ", false)]
    [InlineData("ERR This instance has Lua scripting support disabled", false)]
    [InlineData("CROSSSLOT Keys in request don't hash to the same slot", false)]
    [InlineData("ERR user_script:3: attempt to compare nil with number", false)]
    public void Errors_of_the_server_are_transient_or_final(string text, bool isTransient)
    {
        var error = new RedisServerException(RedisErrorKind.Unknown, CommandFlags.None, text);

        Assert.True(RedisErrorClassifier.TryClassify(error, "acquire the lock 'orders'", "localhost:6379", finding: null, out var failure));

        Assert.Equal(isTransient, failure.IsTransient);
        Assert.Same(error, failure.InnerException);
        Assert.Contains("acquire the lock 'orders'", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Failure("F30")]
    public void Lost_connections_are_transient()
    {
        foreach (var failureType in Enum.GetValues<ConnectionFailureType>().Except([ConnectionFailureType.AuthenticationFailure]))
        {
            AssertIsTransient(true, new RedisConnectionException(failureType, CommandFlags.None, "gone", null, CommandStatus.Unknown));
        }
    }

    [Fact]
    [Failure("F30")]
    public void Refused_connections_are_final()
    {
        AssertIsTransient(false, new RedisConnectionException(ConnectionFailureType.AuthenticationFailure, CommandFlags.None, "refused", null, CommandStatus.Unknown));
        AssertIsTransient(false, new RedisConnectionException(
            ConnectionFailureType.UnableToConnect, CommandFlags.None, "gone", new InvalidOperationException("WRONGPASS invalid username-password pair"), CommandStatus.Unknown));
    }

    [Fact]
    [Failure("F30")]
    public void What_the_client_throws_is_transient_or_final()
    {
        AssertIsTransient(true, new RedisTimeoutException(CommandFlags.None, "late", CommandStatus.Sent));
        AssertIsTransient(true, new TimeoutException());
        AssertIsTransient(true, new OperationCanceledException());
        AssertIsTransient(true, new RedisCommandException("Command cannot be issued to a replica: EVALSHA"));
        AssertIsTransient(false, new ObjectDisposedException("multiplexer"));
    }

    [Fact]
    public void Faults_of_the_program_are_not_sorted() =>
        Assert.False(RedisErrorClassifier.TryClassify(new InvalidCastException(), "acquire", "localhost:6379", finding: null, out _));

    private static void AssertIsTransient(bool expected, Exception exception)
    {
        Assert.True(RedisErrorClassifier.TryClassify(exception, "acquire", "localhost:6379", finding: null, out var failure));
        Assert.Equal(expected, failure.IsTransient);
    }
}
