namespace Coordination.Testing.Contracts.Threads;

/// <summary>
/// Tests that take something from all others, such as the thread pool. They name this type: by its name alone xunit looks for a
/// collection in the assembly of the test, and where it finds none runs the tests beside the others.
/// </summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
internal sealed class Alone;
