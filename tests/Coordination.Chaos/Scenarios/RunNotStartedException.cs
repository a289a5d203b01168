namespace Coordination.Chaos.Scenarios;

/// <summary>A run did not begin, because its servers or its workers did not start: it found nothing, and says nothing of the locks.</summary>
internal sealed class RunNotStartedException(Exception cause) : Exception(cause.Message, cause);
