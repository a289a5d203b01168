using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Hosting.Services;

/// <summary><see cref="LockOptions"/> as a section of the configuration is bound to them: what is bound without reflection has setters.</summary>
internal sealed class LockSettings
{
    public TimeSpan? LeaseDuration { get; set; }

    public TimeSpan? MaxHold { get; set; }

    public TimeSpan? ProgressTimeout { get; set; }

    public bool AllowBarging { get; set; }

    public TimeSpan? LockAtLeastFor { get; set; }

    public string? Note { get; set; }

    public long Rank { get; set; }

    /// <returns>Null where the configuration has nothing of them.</returns>
    public static LockOptions? Read(IConfiguration configuration, string section)
    {
        var settings = new LockSettings();
        var found = configuration.GetCoordinationSettings<LockSettings>(section);
        found.Bind(settings);
        return found.Exists() ? settings.ToOptions() : null;
    }

    private LockOptions ToOptions() => new()
    {
        LeaseDuration = LeaseDuration,
        MaxHold = MaxHold,
        ProgressTimeout = ProgressTimeout,
        AllowBarging = AllowBarging,
        LockAtLeastFor = LockAtLeastFor,
        Note = Note,
        Rank = Rank,
    };
}
