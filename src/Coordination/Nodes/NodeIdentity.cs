using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Coordination.Nodes;

/// <summary>The id of this node, and the numbers that it gives out once each.</summary>
internal sealed class NodeIdentity
{
    private const int MaxNameLength = 128;

    private long _lastNumber;

    public NodeIdentity(string? nodeName) => Id = string.Create(
        CultureInfo.InvariantCulture,
        $"{Clean(nodeName ?? Environment.MachineName)}-{Environment.ProcessId}-{RandomNumberGenerator.GetHexString(8, lowercase: true)}");

    public string Id { get; }

    public long NextNumber() => Interlocked.Increment(ref _lastNumber);

    public LockOwner CreateOwner() => new(Id, NextNumber());

    /// <summary>A name that can be part of a channel and of an owner: machine names are not all made of such characters.</summary>
    private static string Clean(string name)
    {
        var clean = new StringBuilder(name.Length);
        foreach (var c in name.AsSpan(0, Math.Min(name.Length, MaxNameLength)))
        {
            clean.Append(char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' ? c : '_');
        }

        return clean.Length == 0 ? "node" : clean.ToString();
    }
}
