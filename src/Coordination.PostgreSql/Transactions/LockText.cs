using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Coordination.Stores;

namespace Coordination.PostgreSql.Transactions;

/// <summary>Between a lock's state and its document.</summary>
internal static class LockText
{
    private const string SemaphoreOf = "semaphore:";
    private const string ReaderWriter = "readerWriter";
    private const string Nothing = "{}";

    /// <summary>The document of a state.</summary>
    public static string Write(LockState state)
    {
        if (LockProtocol.IsEmpty(state) && state.Capacity == LockCapacity.Exclusive)
        {
            return Nothing;
        }

        var document = new LockDocument
        {
            Capacity = state.Capacity.Kind switch
            {
                LockCapacityKind.Semaphore => SemaphoreOf + state.Capacity.Permits.ToString(CultureInfo.InvariantCulture),
                LockCapacityKind.ReaderWriter => ReaderWriter,
                _ => null,
            },
            Grants = Parts(state.Grants, Write),
            Waiters = Parts(state.Waiters, Write),
            Revoked = Parts(state.Revoked, static revoked => new LockDocument.RevokedPart { Token = revoked.FencingToken, Until = Moments.ToMicroseconds(revoked.Until) }),
            Occurrences = Parts(state.Occurrences, Write),
        };
        return JsonSerializer.Serialize(document, LockDocumentJson.Default.LockDocument);
    }

    /// <summary>The state that a row says. A grant that has no columns any more was taken away by hand.</summary>
    /// <param name="text">The document.</param>
    /// <param name="lastToken">The column.</param>
    /// <param name="columns">What columns hold of each grant.</param>
    /// <exception cref="JsonException">The document is none.</exception>
    public static LockState Read(string text, long lastToken, IReadOnlyList<GrantColumns> columns)
    {
        if (text == Nothing)
        {
            return lastToken == 0 ? LockState.Empty : LockState.Empty with { LastToken = lastToken };
        }

        var document = JsonSerializer.Deserialize(text, LockDocumentJson.Default.LockDocument) ?? new LockDocument();
        return new LockState
        {
            Capacity = ReadCapacity(document.Capacity),
            LastToken = lastToken,
            Grants = ReadGrants(document.Grants ?? [], columns),
            Waiters = [.. (document.Waiters ?? []).Select(Read).OfType<QueuedWaiter>()],
            Revoked = [.. (document.Revoked ?? []).Select(static part => new RevokedGrant { FencingToken = part.Token, Until = Moments.FromMicroseconds(part.Until) })],
            Occurrences = [.. (document.Occurrences ?? []).Select(Read)],
        };
    }

    private static TPart[]? Parts<T, TPart>(ImmutableArray<T> items, Func<T, TPart> write) => items.IsEmpty ? null : [.. items.Select(write)];

    private static LockCapacity ReadCapacity(string? text) =>
        text is not null && text.StartsWith(SemaphoreOf, StringComparison.Ordinal) ? LockCapacity.Semaphore(int.Parse(text.AsSpan(SemaphoreOf.Length), CultureInfo.InvariantCulture))
        : text == ReaderWriter ? LockCapacity.ReaderWriter
        : LockCapacity.Exclusive;

    private static ImmutableArray<LockGrant> ReadGrants(LockDocument.GrantPart[] parts, IReadOnlyList<GrantColumns> columns)
    {
        var byToken = columns.ToDictionary(static column => column.Token);
        var grants = ImmutableArray.CreateBuilder<LockGrant>(parts.Length);
        foreach (var part in parts)
        {
            if (byToken.TryGetValue(part.Token, out var column) && LockOwner.TryParse(column.Owner, out var owner))
            {
                grants.Add(new LockGrant
                {
                    Owner = owner,
                    FencingToken = part.Token,
                    Since = Moments.FromMicroseconds(part.Since),
                    RenewedAt = column.RenewedAt,
                    LastsUntil = column.LastsUntil,
                    IsClaimed = part.Claimed,
                    IsReleased = part.Released,
                    Entries = [.. part.Entries ?? []],
                    Notes = [.. (part.Notes ?? []).Select(static note => new EntryNote { Entry = note.Entry, Note = note.Note, Rank = note.Rank })],
                    Share = ShareText.Parse(part.Share),
                    Permit = part.Permit,
                    Series = part.Series,
                    Run = part.Run,
                });
            }
        }

        return grants.ToImmutable();
    }

    private static LockDocument.GrantPart Write(LockGrant grant) => new()
    {
        Token = grant.FencingToken,
        Since = Moments.ToMicroseconds(grant.Since),
        Claimed = grant.IsClaimed,
        Released = grant.IsReleased,
        Entries = grant.Entries.IsEmpty ? null : [.. grant.Entries],
        Notes = Parts(grant.Notes, static note => new LockDocument.NotePart { Entry = note.Entry, Note = note.Note, Rank = note.Rank }),
        Share = grant.Share is { } share ? ShareText.Of(share) : null,
        Permit = grant.Permit,
        Series = grant.Series,
        Run = grant.Run,
    };

    private static LockDocument.WaiterPart Write(QueuedWaiter waiter) => new()
    {
        Owner = waiter.Owner.ToString(),
        Entry = waiter.Entry,
        Since = Moments.ToMicroseconds(waiter.Since),
        Alive = Moments.ToMicroseconds(waiter.AliveUntil),
        Share = waiter.Share is { } share ? ShareText.Of(share) : null,
        Note = waiter.Note,
        Rank = waiter.Rank,
    };

    private static QueuedWaiter? Read(LockDocument.WaiterPart part) => !LockOwner.TryParse(part.Owner, out var owner) ? null : new QueuedWaiter
    {
        Owner = owner,
        Entry = part.Entry,
        Since = Moments.FromMicroseconds(part.Since),
        AliveUntil = Moments.FromMicroseconds(part.Alive),
        Share = ShareText.Parse(part.Share),
        Note = part.Note,
        Rank = part.Rank,
    };

    private static LockDocument.OccurrencePart Write(LastOccurrence last) => new()
    {
        Series = last.Series,
        Time = last.Time,
        Run = last.Run,
        Finished = last.IsFinished,
        Earlier = Parts(last.Earlier, static earlier => new LockDocument.OccurrencePart { Time = earlier.Time, Run = earlier.Run, Finished = earlier.IsFinished }),
        Floor = last.Floor,
        Forget = Moments.ToMicroseconds(last.ForgottenAt),
    };

    private static LastOccurrence Read(LockDocument.OccurrencePart part) => new()
    {
        Series = part.Series ?? string.Empty,
        Time = part.Time,
        Run = part.Run,
        IsFinished = part.Finished,
        Earlier = [.. (part.Earlier ?? []).Select(static earlier => new EarlierOccurrence { Time = earlier.Time, Run = earlier.Run, IsFinished = earlier.Finished })],
        Floor = part.Floor,
        ForgottenAt = Moments.FromMicroseconds(part.Forget),
    };
}
