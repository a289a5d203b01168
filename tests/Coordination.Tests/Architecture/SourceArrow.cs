namespace Coordination.Tests.Architecture;

/// <summary>That a file knows another, or a folder of them by its namespace.</summary>
/// <param name="From">The file.</param>
/// <param name="Line">Where it does so first.</param>
/// <param name="To">The file that declares what it knows, or the folder.</param>
/// <param name="IsComment">Whether only its documentation knows it.</param>
internal sealed record SourceArrow(SourceFile From, int Line, string To, bool IsComment)
{
    public string Room => SourceFile.RoomOf(To);

    public override string ToString() => $"{From.Path}({Line}) -> {To}";
}
