namespace SampleKit.Servers;

/// <summary>A server of the run's own did not start; the message says why.</summary>
public sealed class ServerNotStartedException(string message, Exception? cause = null) : Exception(message, cause);
