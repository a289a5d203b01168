using System.Globalization;
using Coordination.DependencyInjection;
using Coordination.PostgreSql.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Coordination.PostgreSql.DependencyInjection;

/// <summary>Checks the options when the host starts. No message holds the connection string, because it may hold a password.</summary>
internal sealed class PostgreSqlStoreOptionsValidator(IOptions<CoordinationOptions> coordination, IOptionsMonitor<CoordinationOptions>? named = null, IServiceProvider? services = null)
    : IValidateOptions<PostgreSqlStoreOptions>
{
    private const int LongestSchema = 48;
    private const int MostConnections = 1000;
    private static readonly TimeSpan LongestTimeout = TimeSpan.FromMinutes(1);
    private static readonly DurationRange CommandTimeout = DurationRange.Between(TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(1), "leave it out for the default");
    private static readonly DurationRange PollInterval = DurationRange.Between(TimeSpan.FromMilliseconds(50), TimeSpan.FromMinutes(1));

    public ValidateOptionsResult Validate(string? name, PostgreSqlStoreOptions options)
    {
        var failures = new List<string>();
        var section = NodeSection.Of(name, PostgreSqlStoreOptions.Section);
        var node = string.IsNullOrEmpty(name) || named is null ? coordination.Value : named.Get(name);
        CheckSchema(options.Schema, section, failures);
        CheckConnection(options, node, section, failures);
        CheckTimeout(options.CommandTimeout, node, NodeSection.Of(name), section, failures);
        if (PollInterval.FindError($"{section}:PollInterval", options.PollInterval) is { } failure)
        {
            failures.Add(failure);
        }

        if (options.MaxConnections is < 1 or > MostConnections)
        {
            failures.Add(string.Create(CultureInfo.InvariantCulture, $"{section}:MaxConnections is {options.MaxConnections}. Set 1 to {MostConnections}."));
        }

        if (!Enum.IsDefined(options.Notifications))
        {
            failures.Add($"{section}:Notifications is {options.Notifications}. Set {nameof(PostgreSqlNotifications.Listen)} or {nameof(PostgreSqlNotifications.Poll)}.");
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail([.. failures, .. services?.FindUnknownCoordinationSettings() ?? []]);
    }

    private static void CheckSchema(string? schema, string section, List<string> failures)
    {
        if (string.IsNullOrEmpty(schema) || schema.Length > LongestSchema || char.IsAsciiDigit(schema[0]) || !schema.All(static c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_'))
        {
            failures.Add(string.Create(CultureInfo.InvariantCulture, $"{section}:Schema is '{schema}'. Set 1 to {LongestSchema} small letters, digits and underscores, with no digit first, such as the application's name."));
        }
        else if (schema.StartsWith("pg_", StringComparison.Ordinal) || schema == "information_schema")
        {
            failures.Add($"{section}:Schema is '{schema}', and that one, as all names that begin with 'pg_', is the server's own. Set another one, such as the application's name.");
        }
    }

    private static void CheckConnection(PostgreSqlStoreOptions options, CoordinationOptions node, string section, List<string> failures)
    {
        if (options.ConnectionString is not { } text)
        {
            return;
        }

        try
        {
            var settings = new NpgsqlConnectionStringBuilder(text);
            if (string.IsNullOrEmpty(settings.Host))
            {
                failures.Add($"{section}:ConnectionString names no server. Give it the form 'Host=…;Username=…;Password=…;Database=…'.");
                return;
            }

            string[] errors = [.. ConnectionSettings.FindErrors(settings)];
            failures.AddRange(errors.Select(error => $"{section}:ConnectionString {error}"));
            if (errors.Length == 0 && options.MaxConnections is >= 1 and <= MostConnections)
            {
                TryMake(text, settings, options, node, section, failures);
            }
        }
        catch (Exception unreadable) when (unreadable is ArgumentException or FormatException or InvalidCastException or KeyNotFoundException)
        {
            // What is wrong with it is not repeated here: the exception quotes parts of the string, and those may be secret.
            failures.Add($"{section}:ConnectionString cannot be read. Give it the form 'Host=…;Username=…;Password=…;Database=…', with keys that Npgsql has, and quotes around a value that has a semicolon.");
        }
    }

    /// <summary>What the client finds out when it makes the pool, before it connects to anything.</summary>
    private static void TryMake(string text, NpgsqlConnectionStringBuilder settings, PostgreSqlStoreOptions options, CoordinationOptions node, string section, List<string> failures)
    {
        try
        {
            var timeout = options.CommandTimeoutFor(node);
            LockDatabase.Make(text, options, timeout > TimeSpan.Zero && timeout < LongestTimeout ? timeout : LongestTimeout).Dispose();
        }
        catch (Exception refused) when (refused is ArgumentException or InvalidOperationException or NotSupportedException)
        {
            var isSecret = ((string?[])[settings.Password, settings.SslPassword]).Any(secret => !string.IsNullOrEmpty(secret) && refused.Message.Contains(secret, StringComparison.Ordinal));
            failures.Add($"{section}:ConnectionString has settings that Npgsql does not take together{(isSecret ? "." : $": {refused.Message.TrimEnd('.')}.")} Correct them.");
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

        var renewal = PostgreSqlStoreOptions.RenewalInterval(node);
        if (chosen >= renewal)
        {
            failures.Add($"{section}:CommandTimeout is {chosen}, and leases are renewed every {renewal}. Set it shorter, so that a renewal that hangs leaves time for another, or set a longer {nodeSection}:LeaseDuration.");
        }
    }
}
