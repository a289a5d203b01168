namespace Coordination.Hosting.Health;

/// <summary>What a check says of any exclusive work.</summary>
internal static class WorkSentences
{
    /// <param name="lockName">Its lock.</param>
    /// <param name="loss">Why that was lost; null where it is not known.</param>
    public static string Overdue(string lockName, LeaseLossReason? loss = null) =>
        $"Work goes on although its lock was lost, maybe beside that of another node: '{lockName}'.{(loss == LeaseLossReason.NoProgress ? " It had reported no progress for too long, and may hang." : null)}";

    public static string FailsInARow(string lockName, int failures, string? last) => $"'{lockName}' failed {failures} times in a row, the last time with {last}.";

    /// <summary>Of work that this node may not lead in, and not because all of the node is drained.</summary>
    public static string LeftToOthers(string lockName) => $"'{lockName}' is left to other nodes: CanLead is false.";

    /// <summary>On nodes of which this one knows no more than that.</summary>
    public static string FailsInARowInCluster(string lockName, int failures) => $"'{lockName}' failed at least {failures} times in a row in the cluster.";
}
