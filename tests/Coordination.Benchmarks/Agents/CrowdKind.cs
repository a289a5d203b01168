namespace Coordination.Benchmarks.Agents;

/// <summary>How many calls of one process wait.</summary>
internal enum CrowdKind
{
    /// <summary>For one lock, as the library does it.</summary>
    Together,

    /// <summary>For one lock, each for itself.</summary>
    Apart,

    /// <summary>For a lock each.</summary>
    Spread,
}
