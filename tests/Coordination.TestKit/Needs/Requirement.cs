using DotNet.Testcontainers.Configurations;

namespace Coordination.TestKit.Needs;

/// <summary>Whether this machine and this run meet a need, and what to do where they do not.</summary>
public sealed class Requirement
{
    /// <summary>The one switch of the long tier: set it to 1.</summary>
    public const string LongTestsVariable = "COORDINATION_LONG_TESTS";

    private static readonly Dictionary<Need, Requirement> All = new[]
    {
        new Requirement(Need.LongTier, "The long tier is off", $"{LongTestsVariable}=1 dotnet test", () => Environment.GetEnvironmentVariable(LongTestsVariable) == "1"),
        OnPath(Need.RedisServer, "redis-server", "apt-get install redis-server"),
        new Requirement(Need.PostgreSql, "The programs of a PostgreSQL server are missing", "apt-get install postgresql", () => PostgreSqlPrograms.Folder is not null),
        OnPath(Need.PgBouncer, "pgbouncer", "apt-get install pgbouncer"),
        new Requirement(Need.ContainerEngine, "A container engine is missing", "Install Docker, or set DOCKER_HOST", () => TestcontainersSettings.OS.DockerEndpointAuthConfig is not null),
        OnPath(Need.Spin, "spin", "apt-get install spin"),
        new Requirement(Need.CCompiler, "A C compiler with the headers of the C library is missing", "apt-get install gcc libc6-dev", CCompiler.IsThere),
    }.ToDictionary(requirement => requirement.Need);

    private readonly Lazy<bool> _isMet;

    private Requirement(Need need, string lack, string remedy, Func<bool> isMet)
    {
        Need = need;
        Lack = lack;
        Remedy = remedy;
        _isMet = new Lazy<bool>(isMet);
    }

    public Need Need { get; }

    /// <summary>What is wrong where it is not met.</summary>
    public string Lack { get; }

    /// <summary>What to do about it: mostly a command.</summary>
    public string Remedy { get; }

    public bool IsMet => _isMet.Value;

    public static Requirement Of(Need need) => All[need];

    /// <summary>Throws where it is not met, for code that only tests with the attribute come to.</summary>
    public static void Demand(Need need)
    {
        if (!Of(need).IsMet)
        {
            throw new InvalidOperationException($"{Of(need).Lack}. {Of(need).Remedy}. A test that needs it says so, to be left out where it is missing: [Needs(Need.{need})].");
        }
    }

    private static Requirement OnPath(Need need, string program, string remedy) =>
        new(need, $"{program} is missing", remedy, () => ProgramPath.Find(program) is not null);
}
