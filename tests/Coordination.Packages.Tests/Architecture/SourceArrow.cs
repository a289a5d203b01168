namespace Coordination.Packages.Tests.Architecture;

/// <summary>That a file knows another, or a folder of them by its namespace.</summary>
/// <param name="From">The file.</param>
/// <param name="Line">Where it does so first.</param>
/// <param name="To">The file that declares what it knows, or the folder.</param>
/// <param name="IsComment">Whether only its documentation knows it.</param>
internal sealed record SourceArrow(SourceFile From, int Line, string To, bool IsComment)
{
    /// <summary>Whether only a namespace is named, as where one is imported.</summary>
    public bool IsFolder => To.Length == 0 || To.EndsWith('/');

    public string Room => SourceFile.RoomOf(To);

    /// <summary>Those that lead back to where they begin, directly or through others. Documentation may lead to and fro.</summary>
    /// <param name="arrows">All of a package.</param>
    /// <param name="from">What an arrow leads from.</param>
    /// <param name="to">What it leads to.</param>
    public static IEnumerable<SourceArrow> Cycles(IEnumerable<SourceArrow> arrows, Func<SourceArrow, string> from, Func<SourceArrow, string> to)
    {
        var others = arrows.Where(arrow => !arrow.IsComment && from(arrow) != to(arrow)).ToList();
        var known = others.ToLookup(from, to);
        return others.Where(arrow => Reach(to(arrow)).Contains(from(arrow)));

        HashSet<string> Reach(string start)
        {
            var (reached, next) = (new HashSet<string> { start }, new Stack<string>([start]));
            while (next.TryPop(out var here))
            {
                foreach (var there in known[here].Where(reached.Add))
                {
                    next.Push(there);
                }
            }

            return reached;
        }
    }

    public override string ToString() => $"{From.Path}({Line}) -> {To}";
}
