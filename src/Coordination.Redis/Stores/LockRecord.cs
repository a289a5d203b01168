using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Coordination.Redis.Stores;

/// <summary>A lock as it stands in Redis, which is one string, at a moment of the server's clock. What the scripts say of it stands in <c>prelude.lua</c>.</summary>
internal sealed class LockRecord
{
    private const int TimeLength = 16;
    private const int OwnerAt = 42;

    private readonly long _now;
    private readonly long _token;
    private readonly long _from;
    private readonly char _state;
    private readonly long _lease;
    private readonly long _since;
    private readonly LockOwner? _owner;

    private readonly string _who;

    private LockRecord(long now, long token, long from, char state, long lease, LockOwner? owner, string who, long since) =>
        (_now, _token, _from, _state, _lease, _owner, _who, _since) = (now, token, from, state, lease, owner, who, since);

    /// <summary>Reads the server's time with the record behind it, as the scripts reply it.</summary>
    /// <returns>False when something else wrote the key.</returns>
    public static bool TryParse(string text, [NotNullWhen(true)] out LockRecord? record)
    {
        record = null;
        if (text.Length < TimeLength + OwnerAt)
        {
            return false;
        }

        var body = text.AsSpan(TimeLength);
        if (body[32] is not ('F' or 'H' or 'C' or 'R') || body[33] is not ('0' or '1'))
        {
            return false;
        }

        var lines = body[OwnerAt..].ToString().Split('\n');
        var owner = lines[0];
        if (!TryRead(text.AsSpan(0, TimeLength), out var now)
            || !TryRead(body[..16], out var token)
            || !TryRead(body[16..32], out var from)
            || !TryRead(body[34..42], out var lease)
            || (!LockOwner.TryParse(owner[..Math.Max(0, owner.LastIndexOf('#'))], out var holder) && !IsOfNobody(owner, body[32])))
        {
            return false;
        }

        // A lock is held since its token, unless that had to be later than the clock.
        var since = lines is [_, { Length: > 0 } line, ..] && TryRead(line, out var differing) ? differing : token;
        record = new LockRecord(now, token, from, body[32], lease, holder, owner, since);
        return true;
    }

    /// <summary>That moment.</summary>
    public DateTimeOffset Time => DateTimeOffset.UnixEpoch.AddMicroseconds(_now);

    /// <summary>Who has the lock at that moment; null when nobody does.</summary>
    public LockHolder? Describe()
    {
        // The clock may have been set back: a lease that was to begin later begins now.
        var left = Math.Min(_from, _now) + (_lease * 1000) - _now;
        if (_state == 'F' || left <= 0)
        {
            return null;
        }

        // Of one that was released the last entry stands there still.
        var (note, rank) = _state == 'R' ? default : EntryText.NoteIn(_who.AsSpan(_who.LastIndexOf('#') + 1));
        return new LockHolder
        {
            Owner = _owner!,
            FencingToken = _token,
            Since = DateTimeOffset.UnixEpoch.AddMicroseconds(_since),
            TimeToLive = TimeSpan.FromMicroseconds(left),
            IsReleased = _state == 'R',
            Note = note,
            Rank = rank,
        };
    }

    /// <summary>A lock that several could hold, until nobody did, was made one that is free.</summary>
    private static bool IsOfNobody(string owner, char state) => state == 'F' && owner.Length == 0;

    private static bool TryRead(ReadOnlySpan<char> digits, out long number) => long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
