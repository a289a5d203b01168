namespace Coordination.Hosting.Partitions;

/// <summary>
/// The partitions that a node stays away from, in as much text as fits into a note, however many there are. It may count one more as such, the more of them the likelier: that is led by another node, as if it were so.
/// </summary>
/// <remarks>A Bloom filter (B. H. Bloom, 1970) over the hashes of the names. Of up to 100 partitions it takes one in ten thousand at most for one of them that is not, of 1,000 one in eleven.</remarks>
internal sealed class AbsenceFilter
{
    public static readonly AbsenceFilter None = new([]);

    /// <summary>As base64, a third more, it leaves room in a note of 1 KB for what else a node says.</summary>
    private const int MostBytes = 672;

    private const int FewestBytes = 96;
    private const int BytesForEach = 6;
    private const int BitsForEach = 6;

    private readonly byte[] _bits;

    private AbsenceFilter(byte[] bits) => _bits = bits;

    /// <param name="hashes">The hashes of the names, each once.</param>
    public static AbsenceFilter Create(IReadOnlyCollection<ulong> hashes)
    {
        var filter = new AbsenceFilter(new byte[Math.Clamp((long)hashes.Count * BytesForEach, FewestBytes, MostBytes)]);
        foreach (var hash in hashes)
        {
            filter.Set(hash);
        }

        return filter;
    }

    /// <returns>What <see cref="ToString"/> wrote; an empty one for any other text.</returns>
    public static AbsenceFilter Parse(string? text)
    {
        var bytes = new byte[text?.Length ?? 0];
        return Convert.TryFromBase64String(text ?? string.Empty, bytes, out var written) && written > 0 ? new AbsenceFilter(bytes[..written]) : None;
    }

    /// <summary>The same with one more.</summary>
    public AbsenceFilter With(ulong hash)
    {
        if (_bits.Length == 0)
        {
            return Create([hash]);
        }

        var more = new AbsenceFilter([.. _bits]);
        more.Set(hash);
        return more;
    }

    public bool Contains(ulong hash)
    {
        for (var i = 0; i < BitsForEach && _bits.Length > 0; i++)
        {
            var (index, mask) = Place(hash, i);
            if ((_bits[index] & mask) == 0)
            {
                return false;
            }
        }

        return _bits.Length > 0;
    }

    public override string ToString() => Convert.ToBase64String(_bits);

    private void Set(ulong hash)
    {
        for (var i = 0; i < BitsForEach; i++)
        {
            var (index, mask) = Place(hash, i);
            _bits[index] |= mask;
        }
    }

    /// <summary>Two halves of a hash stand for as many hashes as are wanted (Kirsch and Mitzenmacher, 2006).</summary>
    private (int Index, byte Mask) Place(ulong hash, int number)
    {
        var bit = ((hash & uint.MaxValue) + ((ulong)number * ((hash >> 32) | 1))) % ((ulong)_bits.Length * 8);
        return ((int)(bit / 8), (byte)(1 << (int)(bit % 8)));
    }
}
