namespace Coordination.TestKit.CommandLine;

/// <summary>The command line asks for something that there is not.</summary>
public sealed class UsageException(string message) : Exception(message);
