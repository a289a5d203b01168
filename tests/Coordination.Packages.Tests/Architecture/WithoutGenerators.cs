using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Coordination.Packages.Tests.Architecture;

/// <summary>Gives a body to each method that a generator writes, so that sources compile by themselves. No line moves.</summary>
internal sealed class WithoutGenerators : CSharpSyntaxRewriter
{
    private static readonly ArrowExpressionClauseSyntax Body = SyntaxFactory.ArrowExpressionClause(
        SyntaxFactory.ThrowExpression(SyntaxFactory.LiteralExpression(SyntaxKind.NullLiteralExpression)).NormalizeWhitespace());

    public static SyntaxTree Complete(SyntaxTree tree) => tree.WithRootAndOptions(new WithoutGenerators().Visit(tree.GetRoot()), tree.Options);

    public override SyntaxNode? VisitMethodDeclaration(MethodDeclarationSyntax node) =>
        node.Body is null && node.ExpressionBody is null && node.Modifiers.FirstOrDefault(modifier => modifier.IsKind(SyntaxKind.PartialKeyword)) is { RawKind: not 0 } partial
            ? node.WithModifiers(node.Modifiers.Remove(partial)).WithExpressionBody(Body)
            : base.VisitMethodDeclaration(node);
}
