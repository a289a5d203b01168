using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Tests;

public sealed class LockNameTests : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly ILockProvider _provider;

    public LockNameTests()
    {
        var services = new ServiceCollection();
        services.AddCoordination().UseInMemory();
        _services = services.BuildServiceProvider();
        _provider = _services.GetRequiredService<ILockProvider>();
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    public static TheoryData<string> Allowed => new(
        "a",
        " ",
        "jobs/nightly report: 50% * [all]",
        "\u00fc\u00df \u0416 \u4e2d\u6587",
        new string('x', 512),
        new string('\u00fc', 256),
        string.Concat(Enumerable.Repeat("\ud83d\udd12", 128)));

    [Theory]
    [MemberData(nameof(Allowed))]
    public void Text_of_512_bytes_at_most_is_a_name(string name) => Assert.Equal(name, _provider.GetLock(name).Name);

    public static TheoryData<string, string> Refused => new()
    {
        { "", "empty" },
        { new string('x', 513), "512 bytes of UTF-8; this one has 513" },
        { new string('\u00fc', 257), "512 bytes of UTF-8; this one has 514" },
        { "a\nb", "U+000A" },
        { "a\0", "U+0000" },
        { "a\u007f", "U+007F" },
        { "a\u0085b", "U+0085" },
        { "{a", "brace" },
        { "a}", "brace" },
        { "a\ud83d", "half a surrogate pair" },
        { "\udd12a", "half a surrogate pair" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void Text_that_could_not_be_part_of_a_key_is_refused_with_the_reason(string name, string reason)
    {
        var error = Assert.ThrowsAny<ArgumentException>(() => _provider.GetLock(name));
        Assert.Equal("name", error.ParamName);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void No_name_is_refused() => Assert.Throws<ArgumentNullException>("name", () => _provider.GetLock(null!));
}
