using System.Globalization;
using System.Text;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Coordination.Redis.DependencyInjection;

/// <summary>Checks the options when the host starts. No message holds the connection string, because it may hold a password.</summary>
internal sealed class RedisStoreOptionsValidator(IOptions<CoordinationOptions> coordination) : IValidateOptions<RedisStoreOptions>
{
    private const int MaxPrefixBytes = 128;
    private static readonly DurationRange CommandTimeout = DurationRange.Between(TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(1), "leave it out for the default");
    private static readonly DurationRange ReplicationTimeout = DurationRange.Between(TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(10));
    private const int MaxReplicas = 100;

    public ValidateOptionsResult Validate(string? name, RedisStoreOptions options)
    {
        var failures = new List<string>();
        CheckPrefix(options.KeyPrefix, failures);
        CheckConnection(options, failures);
        CheckTimeout(options.CommandTimeout, failures);
        CheckReplication(options, failures);
        if (options.Database is < 0)
        {
            failures.Add($"{RedisStoreOptions.SectionName}:Database is {options.Database.Value.ToString(CultureInfo.InvariantCulture)}. Set 0 or more, or leave it out.");
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private static void CheckPrefix(string? prefix, List<string> failures)
    {
        if (string.IsNullOrEmpty(prefix))
        {
            failures.Add($"{RedisStoreOptions.SectionName}:KeyPrefix is empty. Set 1 to {MaxPrefixBytes} bytes, such as the application's name.");
            return;
        }

        var bytes = Encoding.UTF8.GetByteCount(prefix);
        if (bytes > MaxPrefixBytes)
        {
            failures.Add($"{RedisStoreOptions.SectionName}:KeyPrefix has {bytes.ToString(CultureInfo.InvariantCulture)} bytes of UTF-8. Set at most {MaxPrefixBytes}.");
        }

        if (prefix.Any(character => character is '{' or '}' || char.IsWhiteSpace(character) || char.IsControl(character)))
        {
            failures.Add($"{RedisStoreOptions.SectionName}:KeyPrefix '{prefix}' has a brace, white space or a control character. Use others: braces name the slot of a key on a Redis Cluster.");
        }
    }

    private static void CheckConnection(RedisStoreOptions options, List<string> failures)
    {
        var endpoints = options.Configuration?.EndPoints.Count;
        if (options.ConnectionString is { } text)
        {
            if (HidesASecret(text))
            {
                failures.Add(
                    $"{RedisStoreOptions.SectionName}:ConnectionString has a part that would be read as the name of a server: a URL such as 'redis://…', or what follows a comma in a password. "
                    + "Give it the form 'host:port,option=value' with the servers first, and a password with a comma by ConfigurationOptions.Password.");
                return;
            }

            try
            {
                endpoints = ConfigurationOptions.Parse(text).EndPoints.Count;
            }
            catch (ArgumentException)
            {
                // What is wrong with it is not repeated here: the exception quotes parts of the string, and those may be secret.
                failures.Add($"{RedisStoreOptions.SectionName}:ConnectionString cannot be read. Give it the form 'host:port,option=value', and mind that a comma ends a value.");
                return;
            }
        }

        if (endpoints == 0)
        {
            failures.Add($"{RedisStoreOptions.SectionName}:ConnectionString names no server. Give it the form 'host:port,option=value'.");
        }
    }

    /// <summary>Whether a part that is no option comes where no server can be: the names of servers are logged, and this may be a secret.</summary>
    private static bool HidesASecret(string connectionString)
    {
        var parts = connectionString.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var servers = parts.TakeWhile(part => !part.Contains('=', StringComparison.Ordinal)).ToArray();
        return servers.Any(server => server.Contains('@', StringComparison.Ordinal) || server.Contains("://", StringComparison.Ordinal))
            || parts.Skip(servers.Length).Any(part => !part.Contains('=', StringComparison.Ordinal));
    }

    private void CheckReplication(RedisStoreOptions options, List<string> failures)
    {
        if (options.ReplicasToWaitFor is < 0 or > MaxReplicas)
        {
            failures.Add($"{RedisStoreOptions.SectionName}:ReplicasToWaitFor is {options.ReplicasToWaitFor.ToString(CultureInfo.InvariantCulture)}. Set 0 to {MaxReplicas.ToString(CultureInfo.InvariantCulture)}.");
        }

        if (ReplicationTimeout.FindError($"{RedisStoreOptions.SectionName}:ReplicationTimeout", options.ReplicationTimeout) is { } failure)
        {
            failures.Add(failure);
        }
        else if (options.ReplicasToWaitFor > 0 && options.CommandTimeoutFor(coordination.Value) / 2 is var most && options.ReplicationTimeout > most)
        {
            failures.Add($"{RedisStoreOptions.SectionName}:ReplicationTimeout is {options.ReplicationTimeout}. Set at most half the command timeout, which is {most}, or a longer {RedisStoreOptions.SectionName}:CommandTimeout.");
        }
    }

    private void CheckTimeout(TimeSpan? timeout, List<string> failures)
    {
        if (timeout is not { } chosen)
        {
            return;
        }

        if (CommandTimeout.FindError($"{RedisStoreOptions.SectionName}:CommandTimeout", chosen) is { } failure)
        {
            failures.Add(failure);
        }

        var renewal = RedisStoreOptions.RenewalInterval(coordination.Value);
        if (chosen >= renewal)
        {
            failures.Add($"{RedisStoreOptions.SectionName}:CommandTimeout is {chosen}, and leases are renewed every {renewal}. Set it shorter, so that a renewal that hangs leaves time for another, or set a longer {CoordinationOptions.SectionName}:LeaseDuration.");
        }
    }
}
