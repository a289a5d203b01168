using System.Reflection;
using Coordination.Redis.Scripts;

namespace Coordination.Redis.Tests.Stores;

/// <summary>
/// G15: nodes of one release and of the next run beside each other while an application is updated, each with its own scripts, on the same locks. So no script
/// changes by accident. What they write is frozen in <see cref="TwoVersionsTests"/>.
/// </summary>
public sealed class FrozenScriptsTests
{
    private static readonly Dictionary<string, string> Sent = typeof(RedisScript)
        .GetFields(BindingFlags.Public | BindingFlags.Static)
        .Where(field => field.FieldType == typeof(RedisScript))
        .ToDictionary(field => field.Name, field => Convert.ToHexStringLower(((RedisScript)field.GetValue(null)!).Hash), StringComparer.Ordinal);

    [Fact]
    [Promise("G15")]
    public void Each_script_is_sent_with_the_text_that_is_frozen()
    {
        var changed = Sent.Where(script => FrozenScripts.Hashes.GetValueOrDefault(script.Key) != script.Value).Select(script => script.Key).ToArray();
        Assert.True(changed.Length == 0, $"""
            Other texts than the frozen ones: {string.Join(", ", changed)}. If that is on purpose:
            1. The script has to accept each record, queue and occurrence that the frozen one wrote, and the frozen one what it writes: nodes with either run beside each
               other. TwoVersionsTests has the forms. What is there stays as it is; a form that is new comes beside it.
            2. A node with the frozen script has to understand its notifications, or to let them be.
            3. Where that cannot be, the layout is another one: raise the version in LockKeys, and nodes refuse to start beside it (LayoutCheck).
            Then FrozenScripts has to be:
            {string.Join('\n', Sent.Select(script => $"        [\"{script.Key}\"] = \"{script.Value}\","))}
            """);
    }

    [Fact]
    [Promise("G15")]
    public void No_script_is_frozen_that_there_is_no_more() => Assert.Empty(FrozenScripts.Hashes.Keys.Except(Sent.Keys));

    /// <summary>What the server knows a script by is made of the whole text, with all that it has in common with others.</summary>
    [Fact]
    public void A_text_is_frozen_with_what_it_includes() => Assert.Contains("local function is_foreign", RedisScript.Acquire.Text, StringComparison.Ordinal);
}
