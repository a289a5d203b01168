namespace Coordination.Testing.Contracts.Threads;

/// <summary>Tests that take something from all others, such as the thread pool.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
internal sealed class Alone;
