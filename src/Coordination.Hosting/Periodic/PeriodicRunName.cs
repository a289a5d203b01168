using System.Globalization;

namespace Coordination.Hosting.Periodic;

/// <summary>What a run is called in the store: which node it is of, for which slot, and how the run before it ended on that node.</summary>
/// <param name="NodeId">The node.</param>
/// <param name="Slot">The start of the slot; null where the name does not have it.</param>
/// <param name="Previous">The run before it on that node; null where the name does not have it.</param>
internal sealed record PeriodicRunName(string NodeId, DateTimeOffset? Slot, PeriodicRunEnd? Previous = null)
{
    private const char Separator = '/';
    private const char Failed = '-';
    private const char WentWell = '+';

    /// <summary>A name that no other run has.</summary>
    public static string Create(string nodeId, DateTimeOffset slot, PeriodicRunEnd? previous) => string.Create(
        CultureInfo.InvariantCulture, $"{nodeId}{Separator}{Guid.NewGuid():n}{Write(previous)}{Separator}{slot.UtcTicks}");

    public static PeriodicRunName? Parse(string? name) => name?.Split(Separator) switch
    {
        null => null,
        [var nodeId, var own, var ticks] when ReadSlot(ticks) is { } slot => new PeriodicRunName(nodeId, slot, Read(own)),
        [] => null,
        [var nodeId, ..] => new PeriodicRunName(nodeId, null),
    };

    private static string Write(PeriodicRunEnd? run) =>
        run is { } end ? string.Create(CultureInfo.InvariantCulture, $"{(end.HasFailed ? Failed : WentWell)}{end.Slot.UtcTicks}") : string.Empty;

    private static PeriodicRunEnd? Read(string own) =>
        own.IndexOfAny([Failed, WentWell]) is >= 0 and var sign && ReadSlot(own[(sign + 1)..]) is { } slot ? new PeriodicRunEnd(slot, own[sign] == Failed) : null;

    private static DateTimeOffset? ReadSlot(string ticks) =>
        long.TryParse(ticks, NumberStyles.None, CultureInfo.InvariantCulture, out var slot) && slot <= DateTimeOffset.MaxValue.UtcTicks ? new DateTimeOffset(slot, TimeSpan.Zero) : null;
}
