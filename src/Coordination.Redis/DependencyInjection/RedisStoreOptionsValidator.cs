using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using Coordination.DependencyInjection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Coordination.Redis.DependencyInjection;

/// <summary>Checks the options when the host starts. No message holds the connection string, because it may hold a password.</summary>
internal sealed class RedisStoreOptionsValidator(IOptions<CoordinationOptions> coordination, IOptionsMonitor<CoordinationOptions>? named = null, IServiceProvider? services = null) : IValidateOptions<RedisStoreOptions>
{
    private const int MaxPrefixBytes = 128;
    private static readonly DurationRange CommandTimeout = DurationRange.Between(TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(1), "leave it out for the default");
    private static readonly DurationRange ReplicationTimeout = DurationRange.Between(TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(10));
    private const int MaxReplicas = 100;

    // Half a surrogate pair would be written as a replacement character, and the keys of two prefixes would become one.
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Options whose value may have a comma in it, at which the client ends it.</summary>
    private static readonly FrozenSet<string> Secrets = FrozenSet.Create(StringComparer.OrdinalIgnoreCase, "password", "user");

    public ValidateOptionsResult Validate(string? name, RedisStoreOptions options)
    {
        var failures = new List<string>();
        var section = NodeSection.Of(name, RedisStoreOptions.Section);
        var node = string.IsNullOrEmpty(name) || named is null ? coordination.Value : named.Get(name);
        CheckPrefix(options.KeyPrefix, section, failures);
        CheckConnection(options, section, failures);
        CheckTimeout(options.CommandTimeout, node, NodeSection.Of(name), section, failures);
        CheckReplication(options, node, section, failures);
        if (options.Database is < 0)
        {
            failures.Add($"{section}:Database is {options.Database.Value.ToString(CultureInfo.InvariantCulture)}. Set 0 or more, or leave it out.");
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail([.. failures, .. services?.FindUnknownCoordinationSettings() ?? []]);
    }

    private static void CheckPrefix(string? prefix, string section, List<string> failures)
    {
        if (string.IsNullOrEmpty(prefix))
        {
            failures.Add($"{section}:KeyPrefix is empty. Set 1 to {MaxPrefixBytes} bytes, such as the application's name.");
            return;
        }

        try
        {
            if (Strict.GetByteCount(prefix) is > MaxPrefixBytes and var bytes)
            {
                failures.Add($"{section}:KeyPrefix has {bytes.ToString(CultureInfo.InvariantCulture)} bytes of UTF-8. Set at most {MaxPrefixBytes}.");
            }
        }
        catch (EncoderFallbackException e)
        {
            failures.Add(
                $"{section}:KeyPrefix has U+{(int)e.CharUnknown:X4} behind '{prefix[..e.Index]}', which is half a surrogate pair, and in a key the same as any other half. "
                + $"Set 1 to {MaxPrefixBytes} bytes of valid Unicode, such as the application's name.");
            return;
        }

        if (prefix.Any(character => character is '{' or '}' || char.IsWhiteSpace(character) || char.IsControl(character)))
        {
            failures.Add($"{section}:KeyPrefix '{prefix}' has a brace, white space or a control character. Use others: braces name the slot of a key on a Redis Cluster.");
        }
    }

    private static void CheckConnection(RedisStoreOptions options, string section, List<string> failures)
    {
        var endpoints = options.Configuration?.EndPoints.Count;
        if (options.ConnectionString is { } text)
        {
            if (HidesASecret(text))
            {
                failures.Add(
                    $"{section}:ConnectionString has a part that would be read as the name of a server: a URL such as 'redis://…', or what follows a comma in a password. "
                    + "Give it the form 'host:port,option=value'; a server that follows a password has to have a port. Give a password with a comma by ConfigurationOptions.Password.");
                return;
            }

            try
            {
                endpoints = ConfigurationOptions.Parse(text).EndPoints.Count;
            }
            catch (ArgumentException)
            {
                // What is wrong with it is not repeated here: the exception quotes parts of the string, and those may be secret.
                failures.Add($"{section}:ConnectionString cannot be read. Give it the form 'host:port,option=value', and mind that a comma ends a value.");
                return;
            }
        }

        if (endpoints == 0)
        {
            failures.Add($"{section}:ConnectionString names no server. Give it the form 'host:port,option=value'.");
        }
    }

    /// <summary>Whether a part that is no option may be a piece of a secret: it would be taken for the name of a server, and those are logged.</summary>
    private static bool HidesASecret(string connectionString)
    {
        var hasServers = false;
        var followsASecret = false;
        var mayFollow = false;
        foreach (var part in connectionString.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (part.IndexOf('=', StringComparison.Ordinal) is > 0 and var end)
            {
                followsASecret = Secrets.Contains(part[..end].TrimEnd());
                // Whoever has named the servers before it names none after it: what comes there is the rest of a password with a comma.
                mayFollow = !hasServers;
                continue;
            }

            if (IsNoServer(part) || (followsASecret && !(mayFollow && HasPort(part))))
            {
                return true;
            }

            hasServers = true;
        }

        return false;
    }

    /// <summary>Whether it is a URL, or has a user name before its host, which the client takes for a part of the host. A socket, as <c>!/run/redis.sock</c> or <c>!@name</c>, is a server.</summary>
    private static bool IsNoServer(string part) =>
        !part.StartsWith('!') && (part.Contains('@', StringComparison.Ordinal) || part.Contains("://", StringComparison.Ordinal));

    private static bool HasPort(string part) =>
        part.StartsWith('!') || (part.LastIndexOf(':') is > 0 and var colon && ushort.TryParse(part.AsSpan(colon + 1), CultureInfo.InvariantCulture, out _));

    private static void CheckReplication(RedisStoreOptions options, CoordinationOptions node, string section, List<string> failures)
    {
        if (options.ReplicasToWaitFor is < 0 or > MaxReplicas)
        {
            failures.Add($"{section}:ReplicasToWaitFor is {options.ReplicasToWaitFor.ToString(CultureInfo.InvariantCulture)}. Set 0 to {MaxReplicas.ToString(CultureInfo.InvariantCulture)}.");
        }

        if (ReplicationTimeout.FindError($"{section}:ReplicationTimeout", options.ReplicationTimeout) is { } failure)
        {
            failures.Add(failure);
        }
        else if (options.ReplicasToWaitFor > 0 && options.CommandTimeoutFor(node) / 2 is var most && options.ReplicationTimeout > most)
        {
            failures.Add($"{section}:ReplicationTimeout is {options.ReplicationTimeout}. Set at most half the command timeout, which is {most}, or a longer {section}:CommandTimeout.");
        }
    }

    private static void CheckTimeout(TimeSpan? timeout, CoordinationOptions node, string nodeSection, string section, List<string> failures)
    {
        if (timeout is not { } chosen)
        {
            return;
        }

        if (CommandTimeout.FindError($"{section}:CommandTimeout", chosen) is { } failure)
        {
            failures.Add(failure);
        }

        var renewal = RedisStoreOptions.RenewalInterval(node);
        if (chosen >= renewal)
        {
            failures.Add($"{section}:CommandTimeout is {chosen}, and leases are renewed every {renewal}. Set it shorter, so that a renewal that hangs leaves time for another, or set a longer {nodeSection}:LeaseDuration.");
        }
    }
}
