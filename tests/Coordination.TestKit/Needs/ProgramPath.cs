namespace Coordination.TestKit.Needs;

/// <summary>Looks for programs as a shell does.</summary>
public static class ProgramPath
{
    /// <summary>The file that PATH leads to, if any.</summary>
    public static string? Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, program))
            .FirstOrDefault(File.Exists);
}
