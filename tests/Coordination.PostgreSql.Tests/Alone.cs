namespace Coordination.PostgreSql.Tests;

/// <summary>Tests that take something from all others, such as the thread pool.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
