namespace Coordination.Hosting.Partitions;

/// <summary>Names of partitions for which there is no lock.</summary>
/// <param name="Count">How many there are.</param>
/// <param name="First">A sentence on the first one.</param>
internal sealed record NamesLeftOut(int Count, string First);
