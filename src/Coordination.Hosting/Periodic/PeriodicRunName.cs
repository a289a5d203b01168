using System.Globalization;

namespace Coordination.Hosting.Periodic;

/// <summary>What a run is called in the store: which node it is of, and for which slot.</summary>
/// <param name="NodeId">The node.</param>
/// <param name="Slot">The start of the slot; null where the name does not have it.</param>
internal sealed record PeriodicRunName(string NodeId, DateTimeOffset? Slot)
{
    private const char Separator = '/';

    /// <summary>A name that no other run has.</summary>
    public static string Create(string nodeId, DateTimeOffset slot) => string.Create(
        CultureInfo.InvariantCulture, $"{nodeId}{Separator}{Guid.NewGuid():n}{Separator}{slot.UtcTicks}");

    public static PeriodicRunName? Parse(string? name) => name?.Split(Separator) switch
    {
        null => null,
        [var nodeId, _, var ticks] when long.TryParse(ticks, NumberStyles.None, CultureInfo.InvariantCulture, out var slot) && slot <= DateTimeOffset.MaxValue.UtcTicks =>
            new PeriodicRunName(nodeId, new DateTimeOffset(slot, TimeSpan.Zero)),
        [] => null,
        [var nodeId, ..] => new PeriodicRunName(nodeId, null),
    };
}
