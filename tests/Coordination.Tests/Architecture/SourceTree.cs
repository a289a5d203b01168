using System.Runtime.CompilerServices;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Coordination.Tests.Architecture;

/// <summary>
/// The sources of the core as the compiler understands them. Neither text nor assembly says all: the one does not know of an extension
/// member whose it is, and the other has neither constants nor the names in <c>nameof</c>.
/// </summary>
internal sealed class SourceTree
{
    private const string ImplicitUsings =
        "global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq; global using System.Net.Http; global using System.Threading; global using System.Threading.Tasks;";

    /// <summary>A partial method without a body: what a generator writes is not here.</summary>
    private const string NotGenerated = "CS8795";

    private readonly CSharpCompilation _compilation;

    /// <summary>Each file, and the one of which it is a part: where several have parts of a type, they are one.</summary>
    private readonly Dictionary<string, string> _parts;

    public SourceTree()
    {
        var root = FindRoot();
        var sources =
            from path in Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories)
            let relative = Path.GetRelativePath(root, path).Replace('\\', '/')
            where !relative.StartsWith("obj/", StringComparison.Ordinal) && !relative.StartsWith("bin/", StringComparison.Ordinal)
            orderby relative
            select CSharpSyntaxTree.ParseText(File.ReadAllText(path), path: relative);
        var libraries =
            from path in ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            where !Path.GetFileName(path).StartsWith("Coordination.", StringComparison.Ordinal)
            select MetadataReference.CreateFromFile(path);
        _compilation = CSharpCompilation.Create(
            "Coordination",
            [.. sources, CSharpSyntaxTree.ParseText(ImplicitUsings)],
            libraries,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));
        Faults =
        [
            .. from fault in _compilation.GetDiagnostics() where fault.Severity == DiagnosticSeverity.Error && fault.Id != NotGenerated select fault.ToString(),
            .. from tree in _compilation.SyntaxTrees where tree.GetRoot().ContainsDirectives && tree.GetRoot().DescendantTrivia().Any(trivia => trivia.IsKind(SyntaxKind.IfDirectiveTrivia)) select $"{tree.FilePath} has a condition of the preprocessor: what is named there would be overlooked.",
        ];
        Files = [.. from tree in _compilation.SyntaxTrees where tree.FilePath.Length > 0 select ToFile(tree)];
        _parts = Files.ToDictionary(file => file.Path, file => file.Type);
        Arrows = [.. _compilation.SyntaxTrees.Zip(Files).SelectMany(pair => Read(pair.First, pair.Second))];
    }

    /// <summary>What the compiler does not understand: what is named there would be overlooked.</summary>
    public IReadOnlyList<string> Faults { get; }

    public IReadOnlyList<SourceFile> Files { get; }

    public IReadOnlyList<SourceArrow> Arrows { get; }

    private SourceFile ToFile(SyntaxTree tree)
    {
        var model = _compilation.GetSemanticModel(tree);
        List<ISymbol> types =
            [.. from node in tree.GetRoot().DescendantNodes() where node is BaseTypeDeclarationSyntax or DelegateDeclarationSyntax select model.GetDeclaredSymbol(node)!];
        return new(
            tree.FilePath,
            string.Join(", ", types.Select(type => type.ContainingNamespace.ToDisplayString()).Distinct()),
            types.Select(FileOf).FirstOrDefault(tree.FilePath));
    }

    private IEnumerable<SourceArrow> Read(SyntaxTree tree, SourceFile file)
    {
        var model = _compilation.GetSemanticModel(tree);
        var arrows =
            from node in tree.GetRoot().DescendantNodes(descendIntoTrivia: true)
            from known in Known(model, node).SelectMany(Parts)
            where SymbolEqualityComparer.Default.Equals(known.ContainingAssembly, _compilation.Assembly)
            let line = node.GetLocation().GetLineSpan().StartLinePosition.Line + 1
            select new SourceArrow(file, line, known is INamespaceSymbol ? FolderOf(known) : _parts[FileOf(known)], node.IsPartOfStructuredTrivia());
        return arrows.Where(arrow => arrow.To != file.Type).DistinctBy(arrow => (arrow.To, arrow.IsComment));
    }

    /// <summary>What a piece of code means, and what it is of; also where the compiler calls a member that the code does not name.</summary>
    private static IEnumerable<ISymbol?> Known(SemanticModel model, SyntaxNode node) =>
    [
        model.GetSymbolInfo(node).Symbol,
        model.GetTypeInfo(node).Type,
        model.GetTypeInfo(node).ConvertedType,
        node switch
        {
            CommonForEachStatementSyntax loop => model.GetForEachStatementInfo(loop).GetEnumeratorMethod,
            AwaitExpressionSyntax wait => model.GetAwaitExpressionInfo(wait).GetAwaiterMethod,
            QueryClauseSyntax clause => model.GetQueryClauseInfo(clause).OperationInfo.Symbol,
            ExpressionSyntax { Parent: InitializerExpressionSyntax } element => model.GetCollectionInitializerSymbolInfo(element).Symbol,
            _ => null,
        },
        .. node switch
        {
            AssignmentExpressionSyntax assignment => Methods(model.GetDeconstructionInfo(assignment)),
            ForEachVariableStatementSyntax loop => Methods(model.GetDeconstructionInfo(loop)),
            _ => [],
        },
    ];

    private static IEnumerable<ISymbol?> Methods(DeconstructionInfo deconstruction) => [deconstruction.Method, .. deconstruction.Nested.SelectMany(Methods)];

    /// <summary>A type, and those that it is made of; of a member, the type that it belongs to.</summary>
    private static IEnumerable<ISymbol> Parts(ISymbol? symbol) => symbol switch
    {
        null or IErrorTypeSymbol => [],
        INamespaceSymbol or ITypeParameterSymbol => [symbol],
        IArrayTypeSymbol array => Parts(array.ElementType),
        INamedTypeSymbol type => [type, .. type.TypeArguments.SelectMany(Parts)],
        IMethodSymbol method => [.. Parts(method.ContainingType), .. method.TypeArguments.SelectMany(Parts)],
        _ => Parts(symbol.ContainingType),
    };

    /// <summary>Where the outermost type is declared; of several files the one that has its name alone.</summary>
    private static string FileOf(ISymbol symbol) => symbol.ContainingType is { } outer
        ? FileOf(outer)
        : symbol.DeclaringSyntaxReferences.Select(reference => reference.SyntaxTree.FilePath).MinBy(path => path.Length)!;

    private static string FolderOf(ISymbol @namespace) => string.Concat(@namespace.ToDisplayString().Split('.')[1..].Select(folder => folder + '/'));

    private static string FindRoot([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../../src/Coordination"));
}
