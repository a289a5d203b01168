using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Coordination.Redis.Scripts;
using StackExchange.Redis;

namespace Coordination.Redis.Tests.Stores;

/// <summary>A database that notes each script that it is sent, and replies when a test says so.</summary>
[SuppressMessage("Performance", "CA1852:Seal internal types", Justification = "DispatchProxy derives from it.")]
internal class HeldDatabase : DispatchProxy
{
    private static readonly string JoinedHash = Convert.ToHexString(RedisScript.Joined.Hash);

    private readonly Lock _gate = new();
    private readonly List<Script> _sent = [];

    /// <summary>What was sent, in this order.</summary>
    public IReadOnlyList<Script> Sent
    {
        get
        {
            lock (_gate)
            {
                return [.. _sent];
            }
        }
    }

    public IDatabase Database => (IDatabase)(object)this;

    /// <summary>Called for each script before it is sent.</summary>
    public Action<Script>? Sending { get; set; }

    public static HeldDatabase New() => (HeldDatabase)(object)Create<IDatabase, HeldDatabase>();

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        var script = targetMethod!.Name switch
        {
            nameof(IDatabase.ScriptEvaluateAsync) => new Script(
                IsJoined: Convert.ToHexString((byte[])args![0]!) == JoinedHash, ByText: false, ((RedisKey[])args[1]!).Length, [.. ((RedisValue[])args[2]!).Select(value => (string)value!)]),
            nameof(IDatabase.ExecuteAsync) when args![1] is object[] all => new Script(
                IsJoined: (string)all[0] == RedisScript.Joined.Text, ByText: true, (int)all[1], [.. all.OfType<RedisValue>().Select(value => (string)value!)]),
            _ => throw new NotSupportedException(targetMethod.Name),
        };
        Sending?.Invoke(script);
        lock (_gate)
        {
            _sent.Add(script);
        }

        return script.Reply.Task;
    }

    /// <param name="IsJoined">Whether it is for several requests.</param>
    /// <param name="ByText">Whether it was sent by its text.</param>
    /// <param name="KeyCount">How many KEYS it has.</param>
    /// <param name="Values">ARGV.</param>
    internal sealed record Script(bool IsJoined, bool ByText, int KeyCount, string[] Values)
    {
        /// <summary>What the server replies.</summary>
        public TaskCompletionSource<RedisResult> Reply { get; } = new();

        public bool Has(string value) => Values.Contains(value);
    }
}
