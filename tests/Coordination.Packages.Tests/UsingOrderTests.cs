using Coordination.Packages.Tests.Building;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Coordination.Packages.Tests;

/// <summary>The order in which <c>dotnet format</c> puts usings (IMPORTS), which takes no build of the tree to see.</summary>
public sealed class UsingOrderTests
{
    [Fact]
    public void Usings_are_in_the_order_of_their_names_those_of_System_first()
    {
        Assert.NotEmpty(Tree.Sources);
        Assert.All(Tree.Sources, path => Assert.Null(FaultOf(File.ReadAllText(Tree.PathTo(path)))));
    }

    [Theory]
    [InlineData("using System.Text; using A; using B.C; using B.Cd; using Bc; using static A.B; using A = C; using B = A;", null)]
    [InlineData("global using B; using A;", null)]
    [InlineData("using B; using A;", "A")]
    [InlineData("using A; using System;", "System")]
    [InlineData("using System.Text; using System;", "System")]
    [InlineData("using Ab; using A.B;", "A.B")]
    [InlineData("using A.C; using A.b;", "A.b")]
    [InlineData("using static A.B; using B;", "B")]
    [InlineData("using A = C; using static A.B;", "A.B")]
    [InlineData("using B = A; using A = C;", "C")]
    [InlineData("using A; global using B;", "B")]
    [InlineData("using a.B; using A.B;", null)]
    [InlineData("using A.B; using a.B;", "a.B")]
    [InlineData("using A = C; using System = B;", "B")]
    [InlineData("using static B.C; using static System.Math;", "System.Math")]
    [InlineData("using A.B; using A;", "A")]
    [InlineData("namespace N { using B; using A; }", "A")]
    public void A_using_that_stands_behind_its_place_is_found(string source, string? name) => Assert.Equal(name, FaultOf(source));

    /// <summary>The first using that belongs before the one above it.</summary>
    private static string? FaultOf(string source) =>
        CSharpSyntaxTree.ParseText(source).GetRoot().DescendantNodesAndSelf(node => node is CompilationUnitSyntax or BaseNamespaceDeclarationSyntax)
            .Select(node => node switch
            {
                CompilationUnitSyntax unit => unit.Usings,
                BaseNamespaceDeclarationSyntax space => space.Usings,
                _ => default,
            })
            .SelectMany(usings => usings.Zip(usings.Skip(1)))
            .Where(pair => Compare(pair.First, pair.Second) > 0)
            .Select(pair => pair.Second.NamespaceOrType.ToString())
            .FirstOrDefault();

    private static int Compare(UsingDirectiveSyntax one, UsingDirectiveSyntax other)
    {
        var kinds = KindOf(one).CompareTo(KindOf(other));
        return kinds != 0 ? kinds : PartsOf(one).Zip(PartsOf(other), ComparePart).Append(PartsOf(one).Count().CompareTo(PartsOf(other).Count())).FirstOrDefault(compared => compared != 0);
    }

    /// <summary>Those of the project, then namespaces, types and other names for them.</summary>
    private static int KindOf(UsingDirectiveSyntax directive) =>
        (directive.GlobalKeyword.IsKind(SyntaxKind.GlobalKeyword) ? 0 : 10) + (directive.Alias is not null ? 2 : directive.StaticKeyword.IsKind(SyntaxKind.StaticKeyword) ? 1 : 0);

    /// <summary>Part by part: what begins with a name comes before a longer name.</summary>
    private static IEnumerable<(string Text, bool IsSystem)> PartsOf(UsingDirectiveSyntax directive) =>
        ((SyntaxNode?)directive.Alias?.Name ?? directive.NamespaceOrType).DescendantTokens()
            .Where(token => !token.IsKind(SyntaxKind.DotToken))
            .Select((token, i) => (token.ValueText, i == 0 && token.ValueText == nameof(System)));

    private static int ComparePart((string Text, bool IsSystem) one, (string Text, bool IsSystem) other) =>
        one.IsSystem != other.IsSystem ? (one.IsSystem ? -1 : 1)
        : string.Compare(one.Text, other.Text, StringComparison.OrdinalIgnoreCase) is not 0 and var compared ? compared
        : -string.CompareOrdinal(one.Text, other.Text);
}
