using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Coordination;

/// <summary>
/// Who holds or wants a lock: the id of its node and a number that the node gives out once. It is what the store compares.
/// </summary>
public sealed record LockOwner
{
    /// <summary>The longest id of a node: a name of 128 characters, the process id and the random part, and as much again. A notification has several, and stores limit how long one is.</summary>
    private const int MaxNodeLength = 256;

    // Each request carries it.
    private string? _text;

    /// <summary>Makes an owner. <see cref="ILockProvider.CreateOwner"/> is the usual way; stores and tests make them from their parts.</summary>
    /// <param name="nodeId">1 to 256 characters, and without a slash.</param>
    /// <param name="sequence">The number that the node gave out.</param>
    /// <exception cref="ArgumentException">The node id is empty, has a slash or is too long.</exception>
    public LockOwner(string nodeId, long sequence)
    {
        ArgumentException.ThrowIfNullOrEmpty(nodeId);
        if (nodeId.Contains('/', StringComparison.Ordinal))
        {
            throw new ArgumentException($"The node id '{nodeId}' has a slash, which separates it from the sequence number. Use another character.", nameof(nodeId));
        }

        if (nodeId.Length > MaxNodeLength)
        {
            throw new ArgumentException(TooLong(nodeId), nameof(nodeId));
        }

        NodeId = nodeId;
        Sequence = sequence;
    }

    /// <summary>By its parts.</summary>
    public bool Equals(LockOwner? other) => other is not null && Sequence == other.Sequence && NodeId == other.NodeId;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(NodeId, Sequence);

    /// <summary>The node: one process taking part.</summary>
    public string NodeId { get; }

    /// <summary>The name of the node: its id without the process id and the random part that end it. The same for all processes of a machine, or as <see cref="CoordinationOptions.NodeName"/> says.</summary>
    public string NodeName => NameOf(NodeId);

    /// <summary>The number that tells this owner from the others of its node.</summary>
    public long Sequence { get; }

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    /// <returns>False when the text is not an owner, as when something else wrote the lock's key.</returns>
    public static bool TryParse(string? text, [NotNullWhen(true)] out LockOwner? owner)
    {
        owner = null;
        var slash = text?.LastIndexOf('/') ?? -1;
        if (slash is <= 0 or > MaxNodeLength || text!.IndexOf('/', StringComparison.Ordinal) != slash
            || !long.TryParse(text.AsSpan(slash + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var sequence))
        {
            return false;
        }

        owner = new LockOwner(text[..slash], sequence);
        return true;
    }

    /// <summary>Refuses what cannot be a node's id, or its name.</summary>
    /// <param name="node">An id or a name; null for none.</param>
    /// <param name="paramName">The parameter that has it.</param>
    /// <exception cref="ArgumentException">It is empty or too long, or has a slash or control characters.</exception>
    internal static void ValidateNode(string? node, string paramName)
    {
        if (node is not null && !IsNode(node))
        {
            throw new ArgumentException(
                node.Length == 0 ? "A node has an id that is not empty. Set null for no node." : node.Length > MaxNodeLength ? TooLong(node) : $"'{node}' is no node: it has a slash, control characters or half a surrogate pair. Set the id of a node, as the inspector of locks shows it.", paramName);
        }
    }

    /// <summary>Whether a text may be a node's id.</summary>
    internal static bool IsNode(string text) => text.Length is > 0 and <= MaxNodeLength && !text.Any(static c => c == '/' || char.IsControl(c)) && LockName.IsUnicode(text);

    private static string TooLong(string node) =>
        string.Create(CultureInfo.InvariantCulture, $"The node id '{node[..32]}…' has {node.Length} characters, and may have {MaxNodeLength}. Give the id of a node, as the inspector of locks shows it.");

    /// <summary>A node's id without its last two parts; all of it where it has fewer than three.</summary>
    private static string NameOf(string nodeId)
    {
        var last = nodeId.LastIndexOf('-');
        var end = last > 0 ? nodeId.LastIndexOf('-', last - 1) : -1;
        return end > 0 ? nodeId[..end] : nodeId;
    }

    /// <summary>The owner as the store keeps it: <c>node/sequence</c>.</summary>
    public override string ToString() => _text ??= string.Create(CultureInfo.InvariantCulture, $"{NodeId}/{Sequence}");
}
