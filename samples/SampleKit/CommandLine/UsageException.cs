namespace SampleKit.CommandLine;

/// <summary>The command line cannot be followed; the message says which word, the limit, and what to do.</summary>
public sealed class UsageException(string message) : Exception(message);
