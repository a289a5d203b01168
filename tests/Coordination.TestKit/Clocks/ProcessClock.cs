using System.Diagnostics;
using System.IO.MemoryMappedFiles;
using Coordination.TestKit.Needs;

namespace Coordination.TestKit.Clocks;

/// <summary>
/// The wall clock of another process, which a test sets back and forward while the process runs. A library that is compiled here and preloaded there
/// adds the offset; the monotonic clock of the process stays as it is. Several processes may share one.
/// </summary>
/// <remarks>For Linux, and for programs that ask the C library for the time. A test that uses it says <c>[Needs(Need.CCompiler)]</c>.</remarks>
public sealed class ProcessClock : IDisposable
{
    private const string Source = "process-clock.c";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("coordination-clock-");
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _offset;

    private ProcessClock()
    {
        _file = MemoryMappedFile.CreateFromFile(OffsetPath, FileMode.CreateNew, mapName: null, sizeof(long));
        _offset = _file.CreateViewAccessor(0, sizeof(long));
    }

    /// <summary>What a process has to be started with.</summary>
    public IReadOnlyDictionary<string, string> Environment => new Dictionary<string, string>
    {
        ["LD_PRELOAD"] = LibraryPath,
        ["COORDINATION_CLOCK_OFFSET"] = OffsetPath,
    };

    /// <summary>How far the clock is ahead of this machine's; behind it where negative. Counts from the moment in which it is set.</summary>
    public TimeSpan Offset
    {
        get => TimeSpan.FromTicks(_offset.ReadInt64(0) / TimeSpan.NanosecondsPerTick);
        set => _offset.Write(0, checked(value.Ticks * TimeSpan.NanosecondsPerTick));
    }

    private string LibraryPath => Path.Combine(_folder.FullName, "process-clock.so");

    private string OffsetPath => Path.Combine(_folder.FullName, "offset");

    /// <summary>Makes a clock that is right, until its offset is set.</summary>
    public static async Task<ProcessClock> CreateAsync()
    {
        Requirement.Demand(Need.CCompiler);
        var clock = new ProcessClock();
        try
        {
            await clock.CompileAsync();
            return clock;
        }
        catch
        {
            clock.Dispose();
            throw;
        }
    }

    /// <summary>Adds it to a process that is yet to be started.</summary>
    public void AddTo(ProcessStartInfo start)
    {
        ArgumentNullException.ThrowIfNull(start);
        foreach (var (name, value) in Environment)
        {
            start.Environment[name] = value;
        }
    }

    /// <summary>Processes that run go on with the offset that they have.</summary>
    public void Dispose()
    {
        _offset.Dispose();
        _file.Dispose();
        _folder.Delete(recursive: true);
    }

    private async Task CompileAsync()
    {
        var start = new ProcessStartInfo(ProgramPath.Find("cc")!, ["-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", LibraryPath, "-x", "c", "-"])
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
        };
        using var compiler = Process.Start(start)!;
        await using (var source = typeof(ProcessClock).Assembly.GetManifestResourceStream(Source)!)
        {
            await source.CopyToAsync(compiler.StandardInput.BaseStream);
            compiler.StandardInput.Close();
        }

        var said = await compiler.StandardError.ReadToEndAsync();
        await compiler.WaitForExitAsync();
        if (compiler.ExitCode != 0)
        {
            throw new InvalidOperationException($"cc ended with {compiler.ExitCode}: {said}");
        }
    }
}
