using System.Diagnostics;
using System.IO.MemoryMappedFiles;
using Coordination.TestKit.Needs;

namespace Coordination.TestKit.Clocks;

/// <summary>
/// The clocks of another process: the wall clock, which a test sets back and forward while the process runs, and the monotonic one, which goes on by itself
/// but for the times that it is told to have stood still. A library that is compiled here and preloaded there adds the offsets. Several processes may share one.
/// </summary>
/// <remarks>For Linux, and for programs that ask the C library for the time. A test that uses it says <c>[Needs(Need.CCompiler)]</c>.</remarks>
public sealed class ProcessClock : IDisposable
{
    private const string Source = "process-clock.c";
    private const int Monotonic = sizeof(long);
    private const int Standing = 2 * sizeof(long);
    private const int Size = 3 * sizeof(long);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("coordination-clock-");
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _offsets;

    private ProcessClock()
    {
        _file = MemoryMappedFile.CreateFromFile(OffsetPath, FileMode.CreateNew, mapName: null, Size);
        _offsets = _file.CreateViewAccessor(0, Size);
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
        get => TimeSpan.FromTicks(_offsets.ReadInt64(0) / TimeSpan.NanosecondsPerTick);
        set => _offsets.Write(0, checked(value.Ticks * TimeSpan.NanosecondsPerTick));
    }

    /// <summary>Where the wall clock stands still; null while it goes. A test that sets it knows what time it is there.</summary>
    public DateTimeOffset? StandsAt
    {
        get => _offsets.ReadInt64(Standing) is var moment and not 0 ? DateTimeOffset.UnixEpoch.AddTicks(moment / TimeSpan.NanosecondsPerTick) : null;
        set => _offsets.Write(Standing, value is { } moment ? checked((moment - DateTimeOffset.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick) : 0);
    }

    private string LibraryPath => Path.Combine(_folder.FullName, "process-clock.so");

    private string OffsetPath => Path.Combine(_folder.FullName, "offset");

    /// <summary>Makes a clock that is right, until its offset is set.</summary>
    public static async Task<ProcessClock> CreateAsync()
    {
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

    /// <summary>
    /// Sets the monotonic clock back by a time for which the process stood still, as that of a machine stands still that is suspended. To be called before
    /// the process goes on.
    /// </summary>
    public void StandStill(TimeSpan length) => _offsets.Write(Monotonic, checked(_offsets.ReadInt64(Monotonic) - (length.Ticks * TimeSpan.NanosecondsPerTick)));

    /// <summary>Adds it to a process that is yet to be started.</summary>
    public void AddTo(ProcessStartInfo start)
    {
        ArgumentNullException.ThrowIfNull(start);
        foreach (var (name, value) in Environment)
        {
            start.Environment[name] = value;
        }
    }

    /// <summary>Processes that run go on with the offsets that they have.</summary>
    public void Dispose()
    {
        _offsets.Dispose();
        _file.Dispose();
        _folder.Delete(recursive: true);
    }

    private async Task CompileAsync()
    {
        if (!OperatingSystem.IsWindows())
        {
            // Of whichever user the process is.
            File.SetUnixFileMode(_folder.FullName, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        }

        await using var source = typeof(ProcessClock).Assembly.GetManifestResourceStream(Source)!;
        await CCompiler.CompileAsync(source, "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", LibraryPath);
    }
}
