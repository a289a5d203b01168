using System.Buffers.Binary;
using System.Reflection;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Emit;

namespace Coordination.Packages.Tests.Architecture;

/// <summary>Reads the instructions of a compiled assembly: which type each of them needs, and the line that it comes from.</summary>
internal static class CompiledCalls
{
    private const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<int, OpCode> OpCodesByValue =
        typeof(OpCodes).GetFields().Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value & 0xffff);

    /// <summary>The outermost types of the assembly itself.</summary>
    /// <param name="compilation">What is compiled.</param>
    /// <param name="errors">Why it does not compile: then nothing is read.</param>
    public static IReadOnlyList<(string Path, int Line, string Type)> Of(CSharpCompilation compilation, out IReadOnlyList<Diagnostic> errors)
    {
        using var image = new MemoryStream();
        using var symbols = new MemoryStream();
        var result = compilation.Emit(image, symbols, options: new EmitOptions(debugInformationFormat: DebugInformationFormat.PortablePdb));
        errors = [.. result.Diagnostics.Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error)];
        if (!result.Success)
        {
            return [];
        }

        (image.Position, symbols.Position) = (0, 0);
        var context = new AssemblyLoadContext(compilation.AssemblyName, isCollectible: true);
        try
        {
            var assembly = context.LoadFromStream(image);
            using var provider = MetadataReaderProvider.FromPortablePdbStream(symbols);
            var reader = provider.GetMetadataReader();
            return
            [
                .. from type in assembly.GetTypes()
                    from method in type.GetMethods(All).Concat<MethodBase>(type.GetConstructors(All))
                    from need in Read(method, Lines(reader, method))
                    from part in Parts(need.Member)
                    where part.Assembly == assembly
                    select (need.Path, need.Line, Outermost(part).FullName!),
            ];
        }
        finally
        {
            context.Unload();
        }
    }

    /// <summary>From which offset on a method comes from which line. What has none is made for a declaration, and calls what that names.</summary>
    private static List<(int Offset, string Path, int Line)> Lines(MetadataReader symbols, MethodBase method) =>
    [
        .. from point in symbols.GetMethodDebugInformation(MetadataTokens.MethodDebugInformationHandle(method.MetadataToken & 0xffffff)).GetSequencePoints()
            where !point.IsHidden
            select (point.Offset, symbols.GetString(symbols.GetDocument(point.Document).Name), point.StartLine),
    ];

    private static IEnumerable<(string Path, int Line, MemberInfo Member)> Read(MethodBase method, List<(int Offset, string Path, int Line)> lines)
    {
        if (lines.Count == 0 || method.GetMethodBody()?.GetILAsByteArray() is not { } code)
        {
            yield break;
        }

        var typeArguments = method.DeclaringType!.GetGenericArguments();
        var methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : [];
        for (var at = 0; at < code.Length;)
        {
            var begin = at;
            var operation = OpCodesByValue[code[at] == 0xfe ? 0xfe00 | code[++at] : code[at]];
            at++;
            var operand = operation.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + (4 * BinaryPrimitives.ReadInt32LittleEndian(code.AsSpan(at))),
                _ => 4,
            };
            if (operation.OperandType is OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineType or OperandType.InlineTok)
            {
                var member = method.Module.ResolveMember(BinaryPrimitives.ReadInt32LittleEndian(code.AsSpan(at)), typeArguments, methodArguments)!;
                var (_, path, line) = lines.FindLast(point => point.Offset <= begin) is { Path: not null } point ? point : lines[0];
                yield return (path, line, member);
            }

            at += operand;
        }
    }

    /// <summary>A type, and those that it is made of; of a member, the type that it belongs to.</summary>
    private static IEnumerable<Type> Parts(MemberInfo member) => member switch
    {
        Type { HasElementType: true } type => Parts(type.GetElementType()!),
        Type { IsGenericParameter: true } => [],
        Type type => [type, .. type.GenericTypeArguments.SelectMany(Parts)],
        MethodInfo { IsGenericMethod: true } method => [.. Parts(method.DeclaringType!), .. method.GetGenericArguments().SelectMany(Parts)],
        _ => Parts(member.DeclaringType!),
    };

    private static Type Outermost(Type type) =>
        type.DeclaringType is { } outer ? Outermost(outer) : type.IsGenericType ? type.GetGenericTypeDefinition() : type;
}
