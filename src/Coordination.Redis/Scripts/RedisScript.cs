using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Coordination.Redis.Connections;
using StackExchange.Redis;

namespace Coordination.Redis.Scripts;

/// <summary>A Lua script of this assembly, sent by its hash, and by its text when the server does not know it.</summary>
internal sealed class RedisScript
{
    public static readonly RedisScript Acquire = Of("acquire.lua", "prelude.lua", "occurrences.lua");
    public static readonly RedisScript Claim = Of("claim.lua", "prelude.lua");
    public static readonly RedisScript Renew = Of("renew.lua");
    public static readonly RedisScript Release = Of("release.lua", "prelude.lua", "occurrences.lua", "successor.lua");
    public static readonly RedisScript Joined = Of("joined.lua");
    public static readonly RedisScript AcquireAll = Of("acquire-all.lua", "prelude.lua");
    public static readonly RedisScript Revoke = Of("revoke.lua", "prelude.lua");
    public static readonly RedisScript StepDown = Of("step-down.lua", "prelude.lua");
    public static readonly RedisScript Holder = Of("holder.lua");
    public static readonly RedisScript Inspect = Of("inspect.lua");
    public static readonly RedisScript Identity = Of("identity.lua");
    public static readonly RedisScript Race = Of("race.lua");

    public static readonly RedisScript ShareAcquire = OfShares("share-acquire.lua", "prelude.lua", "shares.lua", "share-occurrences.lua");
    public static readonly RedisScript ShareRelease = OfShares("share-release.lua", "prelude.lua", "shares.lua", "share-occurrences.lua", "successor.lua");
    public static readonly RedisScript ShareJoined = OfShares("share-joined.lua");
    public static readonly RedisScript ShareRenew = Of("share-renew.lua");
    public static readonly RedisScript ShareClaim = Of("share-claim.lua", "prelude.lua", "shares.lua");
    public static readonly RedisScript ShareRevoke = Of("share-revoke.lua", "prelude.lua", "shares.lua");
    public static readonly RedisScript ShareInspect = Of("share-inspect.lua");
    public static readonly RedisScript Settle = Of("settle.lua", "prelude.lua", "shares.lua");

    /// <summary>Where what several scripts have in common stands in each.</summary>
    private const string Include = "--INCLUDE";

    /// <summary>What the server runs.</summary>
    public string Text { get; }

    /// <summary>
    /// Whom a lock hangs on. A replica replies with what it happens to know, which is neither all nor the last word: with no primary in reach the
    /// call fails, and so leaves open what it asked.
    /// </summary>
    public const CommandFlags OnPrimary = CommandFlags.DemandMaster;

    private RedisScript(string text)
    {
        Text = text;
        Hash = HashOf(text);
    }

    /// <summary>By what the server knows the script.</summary>
    public byte[] Hash { get; }

    /// <summary>Runs the script: one round trip, and one more when the server does not know it (the first time, a restart, a flush, a failover).</summary>
    /// <remarks>
    /// The client library's own call by text does the same, but resumes on the thread pool before it returns, which a renewal must
    /// not depend on.
    /// </remarks>
    /// <param name="database">Where to run it.</param>
    /// <param name="keys">KEYS.</param>
    /// <param name="values">ARGV.</param>
    /// <param name="resume">Where to go on after each wait.</param>
    /// <param name="cancellationToken">Ends the wait; what was sent may still run, and is not sent again.</param>
    public async Task<RedisResult> RunAsync(
        IDatabase database, RedisKey[] keys, RedisValue[] values, ConfigureAwaitOptions resume, CancellationToken cancellationToken)
    {
        try
        {
            return await EvaluateAsync(database, keys, values)
                .OrCancelledAsync(resume, cancellationToken).ConfigureAwait(resume);
        }
        catch (RedisServerException unknown) when (IsUnknown(unknown))
        {
            // Nothing of it was applied.
            cancellationToken.ThrowIfCancellationRequested();
            return await SendAsync(database, keys, values).OrCancelledAsync(resume, cancellationToken).ConfigureAwait(resume);
        }
    }

    /// <summary>Whether the server does not know a script that it was asked to run by its hash.</summary>
    public static bool IsUnknown(RedisServerException error) => error.Message.StartsWith("NOSCRIPT", StringComparison.Ordinal);

    /// <summary>Runs the script by its text, which the server remembers.</summary>
    public Task<RedisResult> SendAsync(IDatabase database, RedisKey[] keys, RedisValue[] values)
    {
        object[] arguments = [Text, keys.Length, .. keys, .. values];
        return database.ExecuteAsync("EVAL", arguments, OnPrimary);
    }

    /// <summary>Runs the script by its hash, and no further when the server does not know it.</summary>
    public Task<RedisResult> EvaluateAsync(IDatabase database, RedisKey[] keys, RedisValue[] values) =>
        database.ScriptEvaluateAsync(Hash, keys, values, OnPrimary);

    /// <param name="file">The script.</param>
    /// <param name="included">What it has in common with others: it stands behind the common path, which needs none of it.</param>
    private static RedisScript Of(string file, params ReadOnlySpan<string> included) => new(TextOf(file, included));

    /// <summary>The script begins with the common path of locks that several may hold.</summary>
    /// <inheritdoc cref="Of"/>
    private static RedisScript OfShares(string file, params ReadOnlySpan<string> included) => new(ContentOf("share-short.lua") + TextOf(file, included));

    private static string TextOf(string file, ReadOnlySpan<string> included)
    {
        var common = new StringBuilder();
        foreach (var other in included)
        {
            common.Append(ContentOf(other));
        }

        return ContentOf(file).Replace(Include, common.ToString(), StringComparison.Ordinal);
    }

    private static string ContentOf(string file)
    {
        using var stream = typeof(RedisScript).Assembly.GetManifestResourceStream(file)!;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }

    [SuppressMessage("Security", "CA5350:Do Not Use Weak Cryptographic Algorithms", Justification = "Redis names scripts by their SHA-1; it protects nothing.")]
    private static byte[] HashOf(string text) => SHA1.HashData(Encoding.UTF8.GetBytes(text));
}
