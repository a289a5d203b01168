namespace Coordination.Leases;

/// <summary>Why a deadline came with no renewal confirmed: this process did not run, or it did, and the store confirmed none.</summary>
/// <param name="IsStall">Whether the process did not run.</param>
/// <param name="Lasted">For how long.</param>
internal readonly record struct LossCause(bool IsStall, TimeSpan Lasted)
{
    /// <summary>As a tag has it.</summary>
    public string Tag => IsStall ? "process_stalled" : "store_away";

    /// <summary>Finds the cause of a loss.</summary>
    /// <param name="deadline">The deadline that came.</param>
    /// <param name="stalls">When the process did not run.</param>
    /// <param name="now">When the loss was noticed: after a stall that may be long past the deadline.</param>
    public static LossCause Of(Deadline deadline, Stalls stalls, TimeSpan now)
    {
        var known = stalls.LongestSince(deadline.ConfirmedAt.Uptime);
        var late = now - deadline.LostAt;
        var stall = known > late ? known : late;

        // Less than what one call takes keeps no renewal from its reply.
        return stall >= deadline.Timings.CallLimit ? new LossCause(true, stall) : new LossCause(false, now - deadline.ConfirmedAt.Uptime);
    }

    /// <inheritdoc/>
    public override string ToString() => IsStall ? $"this process did not run for {Lasted}" : $"the store confirmed no renewal for {Lasted}";
}
