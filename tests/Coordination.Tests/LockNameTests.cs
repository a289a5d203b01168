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

    [Fact]
    [Promise("G13")]
    [Failure("F70")]
    public void Parts_are_joined_and_no_other_parts_make_the_same_name()
    {
        Assert.Equal("shop/QuartzScheduler/DEFAULT/nightly report", LockName.Compose("shop", "QuartzScheduler", "DEFAULT", "nightly report"));
        string[][] parts =
        [
            ["a", "b", "c"], ["a/b", "c"], ["a", "b/c"], ["a%2Fb", "c"], ["a", "b%2Fc"], ["a%252Fb", "c"], ["", "a", "b"], ["a", "", "b"], ["a", "b", ""], ["a", "b"],
            ["a.b", "c"], ["a", "b.c"], ["{a}", "b"], ["%7Ba%7D", "b"], ["a\n", "b"], ["a%0A", "b"], ["a~", "b"], ["a%7E", "b"],
        ];
        var names = parts.Select(part => LockName.Compose(part)).ToList();
        Assert.Equal(names.Count, names.Distinct(StringComparer.Ordinal).Count());
        Assert.All(names, name => Assert.Null(LockName.FindError(name)));
    }

    [Theory]
    [Promise("G13")]
    [Failure("F70")]
    [InlineData("x")]
    [InlineData("\u00fc")]
    [InlineData("\ud83d\udd12")]
    [InlineData("/")]
    public void A_name_that_would_be_too_long_is_cut_and_no_other_is_cut_to_the_same(string letter)
    {
        var letters = string.Concat(Enumerable.Repeat(letter, 600));
        string[] names = [LockName.Compose(letters, "1"), LockName.Compose(letters, "2"), LockName.Compose(letters), LockName.Compose("a", letters)];
        Assert.All(names, name => Assert.Null(LockName.FindError(name)));
        Assert.Equal(names.Length, names.Distinct(StringComparer.Ordinal).Count());

        // A name that somebody writes out like that is another.
        Assert.NotEqual(names[0], LockName.Compose(names[0]));
        Assert.Equal(names[0], LockName.Compose(letters, "1"));
    }

    [Fact]
    public void The_longest_name_is_not_cut() => Assert.Equal("a/" + new string('x', 510), LockName.Compose("a", new string('x', 510)));

    [Fact]
    public void Half_a_surrogate_pair_is_refused_in_a_part_as_well() =>
        Assert.Contains("half a surrogate pair", LockName.FindError(LockName.Compose("a", new string('x', 600) + '\ud83d')), StringComparison.Ordinal);
}
