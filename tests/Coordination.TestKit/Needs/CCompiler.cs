using System.Diagnostics;

namespace Coordination.TestKit.Needs;

/// <summary>The C compiler of this machine.</summary>
public static class CCompiler
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    /// <summary>Whether it compiles anything: one without the headers of the C library does not.</summary>
    public static bool IsThere()
    {
        if (ProgramPath.Find("cc") is not { } program)
        {
            return false;
        }

        var start = new ProcessStartInfo(program, ["-fsyntax-only", "-x", "c", "-include", "stdio.h", "/dev/null"]) { RedirectStandardError = true };
        using var compiler = Process.Start(start)!;
        compiler.ErrorDataReceived += (_, _) => { };
        compiler.BeginErrorReadLine();
        if (compiler.WaitForExit(Limit))
        {
            return compiler.ExitCode == 0;
        }

        compiler.Kill();
        return false;
    }

    /// <summary>Compiles a program that is given as text.</summary>
    /// <param name="source">The text.</param>
    /// <param name="arguments">What to make of it.</param>
    /// <exception cref="InvalidOperationException">It does not compile. The message is the compiler's.</exception>
    public static async Task CompileAsync(Stream source, params string[] arguments)
    {
        Requirement.Demand(Need.CCompiler);
        ArgumentNullException.ThrowIfNull(source);
        var start = new ProcessStartInfo(ProgramPath.Find("cc")!, [.. arguments, "-x", "c", "-"]) { RedirectStandardInput = true, RedirectStandardError = true };
        using var compiler = Process.Start(start)!;
        var said = compiler.StandardError.ReadToEndAsync();
        try
        {
            await source.CopyToAsync(compiler.StandardInput.BaseStream);
            compiler.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without having read all. Why, it has said.
        }

        await compiler.WaitForExitAsync();
        if (compiler.ExitCode != 0)
        {
            throw new InvalidOperationException($"cc ended with {compiler.ExitCode}: {await said}");
        }
    }
}
