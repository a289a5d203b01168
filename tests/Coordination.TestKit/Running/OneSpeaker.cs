using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using Coordination.TestKit.Needs;
using Xunit.Runner.Common;
using Xunit.v3;

namespace Coordination.TestKit.Running;

/// <summary>
/// The projects of one <c>dotnet test</c>, which are processes of their own. What is missing is said once for all of them, by the project
/// that finds it missing first.
/// </summary>
/// <param name="own">The project that runs in this process.</param>
/// <param name="isMet">Whether a need is met.</param>
/// <param name="arguments">What this process was started with.</param>
public sealed partial class OneSpeaker(Assembly own, Func<Need, bool> isMet, IReadOnlyCollection<string> arguments)
{
    private readonly RunFilters _filters = new(arguments);

    /// <summary>What this project says of the others; null where one of them has spoken.</summary>
    public async Task<string?> ElsewhereAsync(Need need)
    {
        // dotnet test leads a project by a pipe; who starts the program by hand starts one project.
        if (need == Need.LongTier || OperatingSystem.IsWindows() || !arguments.Contains("--dotnet-test-pipe"))
        {
            return string.Empty;
        }

        using var runner = Process.GetProcessById(ParentProcessId());
        if (!IsOfAll(runner))
        {
            return string.Empty;
        }

        return IsFirst(runner, need) ? await OthersAsync(need) : null;
    }

    /// <summary>Whether it runs all projects, and not one or some that it was asked for or that lie where it was started.</summary>
    private static bool IsOfAll(Process runner)
    {
        var shown = $"/proc/{runner.Id}";
        if (!Directory.Exists(shown))
        {
            // What this system does not show: what is said of other projects may be of some that do not run.
            return true;
        }

        var options = File.ReadAllText($"{shown}/cmdline").Split('\0').Select(argument => argument.Split('=', ':')[0]).ToList();
        return options.Contains("--solution")
            || (!options.Exists(option => option is "--project" or "--test-modules") && Directory.EnumerateFiles($"{shown}/cwd/", "*.sln").Any());
    }

    /// <summary>A file for the run and the need: who creates it is the first.</summary>
    private static bool IsFirst(Process runner, Need need)
    {
        // The system numbers another process the same one day. A start is known to some milliseconds only, so the minute has to do.
        var run = Path.Combine(Path.GetTempPath(), $"coordination-tests-{runner.StartTime:yyyyMMdd-HHmm}-{runner.Id}");
        Directory.CreateDirectory(run);
        try
        {
            using var claim = new FileStream(Path.Combine(run, need.ToString()), FileMode.CreateNew);
            return true;
        }
        catch (IOException) when (File.Exists(Path.Combine(run, need.ToString())))
        {
            return false;
        }
    }

    private async Task<string> OthersAsync(Need need)
    {
        var counts = new List<string>();
        foreach (var project in Others())
        {
            if (await TryCountAsync(project, need) is > 0 and var count)
            {
                counts.Add($"{Path.GetFileNameWithoutExtension(project)} {count}");
            }
        }

        return counts.Count == 0 ? string.Empty : $" Other projects need it as well: {string.Join(", ", counts)}.";
    }

    /// <summary>The other test projects, built as this one was.</summary>
    private IEnumerable<string> Others()
    {
        // tests/PROJECT/bin/CONFIGURATION/FRAMEWORK
        var bin = new DirectoryInfo(Path.GetDirectoryName(own.Location)!);
        var projects = bin.Parent!.Parent!.Parent!.Parent!;
        return projects.GetDirectories()
            .Where(project => project.Name != own.GetName().Name)
            .Select(project => Path.Combine(project.FullName, "bin", bin.Parent.Name, bin.Name, project.Name + ".dll"))
            .Where(File.Exists)
            .Order(StringComparer.Ordinal);
    }

    private async Task<int> TryCountAsync(string project, Need need)
    {
        try
        {
            return await CountAsync(Assembly.LoadFrom(project), need);
        }
        catch (Exception)
        {
            // What was built of other sources may fail in any way, and is none of this project's tests.
            return 0;
        }
    }

    private async Task<int> CountAsync(Assembly project, Need need)
    {
        var tests = new List<IXunitTestCase>();
        await using var discoverer = new XunitTestFrameworkDiscoverer(new XunitTestAssembly(project, null, version: project.GetName().Version));
        await discoverer.Find(
            test =>
            {
                if (_filters.Pass(project.GetName().Name!, test))
                {
                    tests.Add((IXunitTestCase)test);
                }

                return ValueTask.FromResult(true);
            },
            TestFrameworkOptions.ForDiscovery(new TestAssemblyConfiguration()));
        return await new Selection(isMet, _ => Task.FromResult<string?>(null)).CountAsync(tests, need);
    }

    [LibraryImport("libc", EntryPoint = "getppid")]
    private static partial int ParentProcessId();
}
