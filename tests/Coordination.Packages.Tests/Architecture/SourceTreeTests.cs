namespace Coordination.Packages.Tests.Architecture;

/// <summary>A file that knows another is seen to, however it is written.</summary>
public sealed class SourceTreeTests
{
    private const string Below = """
        using System.Collections;
        using System.Runtime.CompilerServices;
        namespace Coordination;
        internal static class Extensions
        {
            public const int Number = 1;
            public static void Add(this Bag bag, int item) { }
            public static IEnumerator<int> GetEnumerator(this Box box) => throw null!;
            public static IAsyncEnumerator<int> GetAsyncEnumerator(this Box box) => throw null!;
            public static TaskAwaiter GetAwaiter(this Box box) => throw null!;
            public static void Deconstruct(this Box box, out int one, out int two) => (one, two) = (1, 2);
            public static Box Select(this Box box, Func<int, int> selector) => box;
            public static Box Where(this Box box, Func<int, bool> filter) => box;
            public static Box Cast<T>(this Box box) => box;
            public static ref int GetPinnableReference(this Box box) => throw null!;
            extension(Box box)
            {
                public int Length => 1;
                public static Box operator +(Box one, Box two) => one;
            }
        }
        """;

    private const string Types = """
        using System.Collections;
        namespace Coordination;
        internal sealed class Box;
        internal sealed class Bag : IEnumerable<int> { public IEnumerator<int> GetEnumerator() => throw null!; IEnumerator IEnumerable.GetEnumerator() => throw null!; }
        """;

    [Theory]
    [InlineData("_ = new Bag { 1 };")]
    [InlineData("Bag bag = [1];")]
    [InlineData("int[] all = [.. new Box()];")]
    [InlineData("foreach (var one in new Box()) { }")]
    [InlineData("await foreach (var one in new Box()) { }")]
    [InlineData("await new Box();")]
    [InlineData("var (one, two) = new Box();")]
    [InlineData("_ = new Box() is (1, 2);")]
    [InlineData("_ = from one in new Box() select one;")]
    [InlineData("_ = from int one in new Box() where one > 1 select one;")]
    [InlineData("_ = from int one in new Box() select one;")]
    [InlineData("_ = new Box().Length;")]
    [InlineData("_ = new Box() + new Box();")]
    [InlineData("Func<Task> later = async () => await new Box();")]
    [InlineData("_ = nameof(Extensions);")]
    [InlineData("_ = Extensions.Number;")]
    public void What_is_called_without_a_name_is_known(string statement)
    {
        var tree = new SourceTree([("Above/User.cs", $"namespace Coordination;\ninternal static class User\n{{\n    public static async Task Use()\n    {{\n        {statement}\n    }}\n}}"), ("Below/Extensions.cs", Below), ("Types.cs", Types)]);

        Assert.Empty(tree.Faults);
        Assert.Contains(tree.Arrows, arrow => $"{arrow}" == "Above/User.cs(6) -> Below/Extensions.cs");
    }

    [Fact]
    public void What_documentation_alone_names_is_a_comment()
    {
        var tree = new SourceTree([("Above/User.cs", "namespace Coordination;\n/// <summary>As <see cref=\"Extensions\"/>.</summary>\ninternal static class User;"), ("Below/Extensions.cs", "namespace Coordination; internal static class Extensions;")]);

        Assert.Equal(["Above/User.cs(2) -> Below/Extensions.cs True"], tree.Arrows.Where(arrow => arrow.To.Length > 0).Select(arrow => $"{arrow} {arrow.IsComment}"));
    }

    [Fact]
    public void What_a_generator_writes_is_no_fault() =>
        Assert.Empty(new SourceTree([("User.cs", "namespace Coordination; internal static partial class User { public static partial int Count(out int all); }")]).Faults);
}
