namespace Coordination.Redis.Tests.Differential;

/// <summary>What requests of an entry say: always the same, and of some entries nothing.</summary>
internal static class Said
{
    /// <summary>Has what parts the texts that Redis keeps.</summary>
    public static string? Note(long? entry) => entry % 10 == 2 ? $"note|of#{entry},\"2\"" : null;

    public static long Rank(long? entry) => entry % 10 is 2 or 3 ? entry!.Value - 5 : 0;
}
