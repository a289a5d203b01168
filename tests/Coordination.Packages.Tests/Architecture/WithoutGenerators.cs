using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Coordination.Packages.Tests.Architecture;

/// <summary>Gives a body to each method that a generator writes, and members to what reads and writes JSON, so that sources compile by themselves. No line moves.</summary>
internal sealed class WithoutGenerators : CSharpSyntaxRewriter
{
    private static readonly ArrowExpressionClauseSyntax Body = SyntaxFactory.ArrowExpressionClause(
        SyntaxFactory.ThrowExpression(SyntaxFactory.LiteralExpression(SyntaxKind.NullLiteralExpression)).NormalizeWhitespace());

    public static SyntaxTree Complete(SyntaxTree tree) => tree.WithRootAndOptions(new WithoutGenerators().Visit(tree.GetRoot()), tree.Options);

    public override SyntaxNode? VisitMethodDeclaration(MethodDeclarationSyntax node) =>
        node.Body is null && node.ExpressionBody is null && node.Modifiers.FirstOrDefault(modifier => modifier.IsKind(SyntaxKind.PartialKeyword)) is { RawKind: not 0 } partial
            ? node.WithModifiers(node.Modifiers.Remove(partial)).WithExpressionBody(Body)
            : base.VisitMethodDeclaration(node);

    public override SyntaxNode? VisitClassDeclaration(ClassDeclarationSyntax node)
    {
        SyntaxToken[] known =
        [
            .. from attribute in node.AttributeLists.SelectMany(list => list.Attributes)
                where attribute.Name.ToString() == "JsonSerializable"
                from type in attribute.DescendantNodes().OfType<TypeOfExpressionSyntax>()
                select type.Type.GetLastToken(),
        ];
        return known.Length == 0 ? base.VisitClassDeclaration(node) : node.WithSemicolonToken(default).WithOpenBraceToken(SyntaxFactory.Token(SyntaxKind.OpenBraceToken)).WithCloseBraceToken(SyntaxFactory.Token(SyntaxKind.CloseBraceToken)).AddMembers(
        [
            Member($"public {node.Identifier}() : base(null) {{ }}"),
            Member($"public static {node.Identifier} Default => throw null!;"),
            Member("public override System.Text.Json.Serialization.Metadata.JsonTypeInfo? GetTypeInfo(System.Type type) => throw null!;"),
            Member("protected override System.Text.Json.JsonSerializerOptions? GeneratedSerializerOptions => throw null!;"),
            .. known.Select(type => Member($"public System.Text.Json.Serialization.Metadata.JsonTypeInfo<{type}> {type} => throw null!;")),
        ]);
    }

    private static MemberDeclarationSyntax Member(string text) => SyntaxFactory.ParseMemberDeclaration(text)!;
}
