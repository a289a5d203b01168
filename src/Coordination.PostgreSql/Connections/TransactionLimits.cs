using System.Globalization;

namespace Coordination.PostgreSql.Connections;

/// <summary>How long a transaction of the store may take.</summary>
internal sealed class TransactionLimits
{
    public TransactionLimits(TimeSpan command)
    {
        Command = command;
        CommandSeconds = (int)Math.Ceiling(command.TotalSeconds);
        var lockLimit = (long)Math.Max(10, command.TotalMilliseconds * 3 / 4);
        LockTimeout = string.Create(CultureInfo.InvariantCulture, $"SET LOCAL lock_timeout = {lockLimit}");
        var idle = (long)Math.Max(1000, command.TotalMilliseconds * 2);
        IdleMilliseconds = idle.ToString(CultureInfo.InvariantCulture);
        IdleTimeout = string.Create(CultureInfo.InvariantCulture, $"SET LOCAL idle_in_transaction_session_timeout = {idle}");
    }

    /// <summary>How long a statement waits for its reply.</summary>
    public TimeSpan Command { get; }

    /// <summary>The same, as the client takes it.</summary>
    public int CommandSeconds { get; }

    /// <summary>Shorter than that of a statement, so that a row that somebody else keeps is told as what it is.</summary>
    public string LockTimeout { get; }

    /// <summary>The same as <see cref="IdleTimeout"/>, as a value.</summary>
    public string IdleMilliseconds { get; }

    /// <summary>For whoever is told who holds the lock rather than to wait for it.</summary>
    public const string BriefLockTimeout = "SET LOCAL lock_timeout = 50";

    /// <summary>A node that is paused between two statements keeps others from a lock for no longer than this.</summary>
    public string IdleTimeout { get; }
}
