namespace Coordination.DependencyInjection;

/// <summary>What a part of the host may take beside, once the services have stopped.</summary>
/// <param name="What">What takes the time.</param>
/// <param name="Longest">How long it takes at most.</param>
internal sealed record StopTime(string What, TimeSpan Longest);
