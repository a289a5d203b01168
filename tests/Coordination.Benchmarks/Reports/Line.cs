namespace Coordination.Benchmarks.Reports;

/// <summary>A line of the table.</summary>
/// <param name="What">What was measured.</param>
/// <param name="Ours">This library's figure.</param>
/// <param name="DistributedLock">The figure of DistributedLock.</param>
/// <param name="RedLock">The figure of RedLock.net.</param>
/// <param name="Target">What is to be reached; empty where a line only informs.</param>
/// <param name="IsReached">Null where there is no target.</param>
internal sealed record Line(string What, string Ours, string DistributedLock = "", string RedLock = "", string Target = "", bool? IsReached = null)
{
    public string Verdict => IsReached switch
    {
        true => "yes",
        false => "no",
        null => "",
    };
}
