namespace Coordination.Packages.Tests.Architecture;

/// <summary>A file of the core.</summary>
/// <param name="Path">From the folder of the project.</param>
/// <param name="Namespace">What it declares its types in.</param>
/// <param name="Type">The file that stands for its type: the same for all parts of one.</param>
internal sealed record SourceFile(string Path, string Namespace, string Type)
{
    /// <summary>The first folder; none for the contract at the root.</summary>
    public string Room => RoomOf(Path);

    public string FolderNamespace => string.Join('.', Path.Split('/')[..^1].Prepend("Coordination"));

    public static string FolderOf(string path) => string.Join('/', path.Split('/')[..^1]);

    public static string RoomOf(string path) => path.Split('/') is [var room, _, ..] ? room : "";
}
