using System.Collections.Concurrent;
using System.Text;
using System.Xml.Linq;
using Coordination.Packages.Tests.Building;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Coordination.Packages.Tests.Architecture;

/// <summary>
/// The sources of a package as the compiler understands them, and what it makes of them. Neither says all: the one does not name what a
/// loop or a query calls, and the other has neither constants nor the names in <c>nameof</c>.
/// </summary>
internal sealed class SourceTree
{
    private const string ImplicitUsings =
        "global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq; global using System.Net.Http; global using System.Threading; global using System.Threading.Tasks;";

    private static readonly string[] Libraries = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator);

    private static readonly ConcurrentDictionary<string, Lazy<SourceTree>> Packages = new();

    private readonly CSharpCompilation _compilation;

    /// <summary>Each file, and the one of which it is a part: where several have parts of a type, they are one.</summary>
    private readonly Dictionary<string, string> _parts;

    /// <param name="sources">Each with its path from the folder of the project.</param>
    /// <param name="name">Of the package.</param>
    /// <param name="usings">Those of its project file.</param>
    public SourceTree(IEnumerable<(string Path, string Text)> sources, string name = "Coordination", string usings = "")
    {
        _compilation = CSharpCompilation.Create(
            name,
            [.. from source in sources select WithoutGenerators.Complete(CSharpSyntaxTree.ParseText(source.Text, path: source.Path, encoding: Encoding.UTF8)), CSharpSyntaxTree.ParseText(ImplicitUsings + usings, encoding: Encoding.UTF8)],
            Libraries.Where(path => Path.GetFileNameWithoutExtension(path) != name).Select(path => MetadataReference.CreateFromFile(path)),
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));
        var calls = CompiledCalls.Of(_compilation, out var errors);
        Faults =
        [
            .. from error in errors select error.ToString(),
            .. from tree in _compilation.SyntaxTrees where tree.GetRoot().ContainsDirectives && tree.GetRoot().DescendantTrivia().Any(trivia => trivia.IsKind(SyntaxKind.IfDirectiveTrivia)) select $"{tree.FilePath} has a condition of the preprocessor: what is named there would be overlooked.",
        ];
        Files = [.. from tree in _compilation.SyntaxTrees where tree.FilePath.Length > 0 select ToFile(tree)];
        _parts = Files.ToDictionary(file => file.Path, file => file.Type);
        Arrows =
        [
            .. from arrow in _compilation.SyntaxTrees.Zip(Files).SelectMany(pair => Named(pair.First, pair.Second)).Concat(Called(calls))
                where arrow.To != arrow.From.Type
                group arrow by (arrow.From, arrow.To, arrow.IsComment) into same
                select same.First(),
        ];
    }

    /// <summary>The sources of a package.</summary>
    public static SourceTree Of(string package) => Packages.GetOrAdd(package, _ => new Lazy<SourceTree>(() => Read(package))).Value;

    private static SourceTree Read(string package)
    {
        var folder = $"src/{package}/";
        var sources = from path in Tree.Sources where path.StartsWith(folder, StringComparison.Ordinal) select (path[folder.Length..], File.ReadAllText(Tree.PathTo(path)));
        var usings = from item in XDocument.Load(Tree.PathTo($"{folder}{package}.csproj")).Descendants("Using") select $"global using {item.Attribute("Include")!.Value};";
        return new(sources, package, string.Concat(usings));
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

    /// <summary>What the code names.</summary>
    private IEnumerable<SourceArrow> Named(SyntaxTree tree, SourceFile file)
    {
        var model = _compilation.GetSemanticModel(tree);
        return
            from node in tree.GetRoot().DescendantNodes(descendIntoTrivia: true)
            from known in Known(model, node).SelectMany(Parts)
            where SymbolEqualityComparer.Default.Equals(known.ContainingAssembly, _compilation.Assembly)
            let line = node.GetLocation().GetLineSpan().StartLinePosition.Line + 1
            select new SourceArrow(file, line, known is INamespaceSymbol ? FolderOf(known) : _parts[FileOf(known)], node.IsPartOfStructuredTrivia());
    }

    /// <summary>What the compiler makes of the code, also where the code does not name it: a loop, a query, an initializer, a conversion.</summary>
    private IEnumerable<SourceArrow> Called(IEnumerable<(string Path, int Line, string Type)> calls)
    {
        var files = Files.ToDictionary(file => file.Path);
        return
            from call in calls
            let type = _compilation.Assembly.GetTypeByMetadataName(call.Type)
            where type is { DeclaringSyntaxReferences.Length: > 0 }
            select new SourceArrow(files[call.Path], call.Line, _parts[FileOf(type)], IsComment: false);
    }

    /// <summary>What a piece of code means, and what it is of.</summary>
    private static IEnumerable<ISymbol?> Known(SemanticModel model, SyntaxNode node) =>
        [model.GetSymbolInfo(node).Symbol, model.GetTypeInfo(node).Type, model.GetTypeInfo(node).ConvertedType];

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
}
