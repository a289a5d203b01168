using Coordination.TestKit.Nodes;

namespace Coordination.Tests.Locks;

/// <summary>What a node says of itself with its leases and its waits.</summary>
public sealed class NoteTests : IAsyncDisposable
{
    private readonly ClockedNode _node = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    [Theory]
    [InlineData("a\nb", "U+000A")]
    [InlineData("\0", "U+0000")]
    [InlineData("a\u007f", "U+007F")]
    [InlineData("a\u0085b", "U+0085")]
    [InlineData("half of a pair", "surrogate")]
    public void A_note_that_no_store_could_keep_is_refused_before_anything_is_asked(string note, string reason)
    {
        // An attribute cannot have half of a surrogate pair.
        var options = new LockOptions { Note = note.Replace("half of a pair", "v\ud83d", StringComparison.Ordinal) };
        foreach (var get in (Func<object>[])
            [
                () => _node.Provider.GetLock("work", options),
                () => _node.Provider.GetSemaphore("work", 2, options),
                () => _node.Provider.GetReaderWriterLock("work", options),
            ])
        {
            var error = Assert.Throws<ArgumentException>(get);
            Assert.Contains(reason, error.Message, StringComparison.Ordinal);
            Assert.Contains(nameof(LockOptions.Note), error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_note_may_have_1024_bytes_and_no_more()
    {
        var longest = new string('é', 512);
        await using (await _node.AcquireAsync(options: new LockOptions { Note = longest }))
        {
            Assert.Equal(longest, (await _node.Store.GetHolderAsync("work", Token))!.Note);
        }

        var error = Assert.Throws<ArgumentException>(() => _node.Provider.GetLock("work", new LockOptions { Note = longest + "e" }));
        Assert.Contains("1025 bytes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Note_and_rank_stay_with_the_lease_through_renewals_and_an_empty_note_is_none()
    {
        await using var lease = await _node.AcquireAsync(options: new LockOptions { Note = "v2", Rank = -4 });
        _node.Advance(TimeSpan.FromSeconds(20));
        await lease.RenewAsync(Token);
        var holder = (await _node.Store.GetHolderAsync("work", Token))!;
        Assert.Equal(("v2", -4), (holder.Note, holder.Rank));

        await using var other = await _node.AcquireAsync("other", new LockOptions { Note = string.Empty });
        Assert.Null((await _node.Store.GetHolderAsync("other", Token))!.Note);
    }
}
