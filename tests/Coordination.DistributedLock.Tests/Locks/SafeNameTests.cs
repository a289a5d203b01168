using System.Text;
using Coordination.DistributedLock.Locks;
using Coordination.TestKit.Nodes;

namespace Coordination.DistributedLock.Tests.Locks;

public sealed class SafeNameTests : IAsyncDisposable
{
    private const int MaxBytes = 512;

    private readonly ClockedNode _node = new();

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    public static TheoryData<string> Allowed => new(
        " ",
        "jobs/nightly report: 50% * [all]",
        "\u00fc\u00df \u0416 \u4e2d\u6587",
        new string('x', MaxBytes),
        string.Concat(Enumerable.Repeat("\ud83d\udd12", MaxBytes / 4)));

    [Theory]
    [MemberData(nameof(Allowed))]
    public void What_is_a_name_stays_as_it_is(string name) => Assert.Same(name, SafeName.Of(name));

    /// <summary>Nodes of different versions have to mean the same lock: what comes out is never to change.</summary>
    public static TheoryData<string, string> Made => new()
    {
        { "", "~e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { "{order}:42", "_order_:42~04e81c4ba5e772fb1eeb7c605475146b08af9b0a2d00237fed48759eb5174998" },
        { "a\nb", "a_b~0a397d5744cb388e71ca0f809906b50e72c8ac1daba625fdd5a32535e684a417" },
        { "half \ud83d a pair", "half \ufffd a pair~83c06e18cc80a8d77af5d232a172a2e8915f93241f9378691293820a5c93aa57" },
        { new string('a', 513), new string('a', 447) + "~de3c23b60575ccb08bf88ea62bd635b853b0d215228e4b8feec537f7bcddea8b" },
        { new string('\u00fc', 300), new string('\u00fc', 223) + "~d1077bc6dad3fa15075e336cb9f12ea7ce435b101f8dcb47a5130e93106360b6" },
        { string.Concat(Enumerable.Repeat("\ud83d\udd12", 200)), string.Concat(Enumerable.Repeat("\ud83d\udd12", 111)) + "~5e7312aecdf41d65fb5740b1976afb2a0d6ad41cef099321f9c1d19f5092891e" },
    };

    [Theory]
    [MemberData(nameof(Made))]
    public void What_is_not_a_name_keeps_what_can_be_read_of_it_and_gets_a_hash(string text, string name)
    {
        Assert.Equal(name, SafeName.Of(text));
        Assert.Null(LockName.FindError(name));
        Assert.True(Encoding.UTF8.GetByteCount(name) <= LockName.MaxBytes);
        Assert.Equal(name, SafeName.Of(name));
    }

    [Fact]
    public void No_two_texts_become_the_same_name()
    {
        string[] texts =
        [
            "{a}", "{a{", "}a}", "_a_", "a\n", "a\r", "\ud83d", "\ud83e", "\ufffd\n", "", "~",
            new('a', 600), new('a', 601), new string('a', 600) + "A", new string('a', 599) + "A",
        ];
        Assert.Equal(texts.Length, texts.Select(SafeName.Of).Distinct(StringComparer.Ordinal).Count());
    }
}
