using Coordination;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace SampleKit.CommandLine;

/// <summary>Where a server is named: by an option of the command line, or else by a variable of the environment, where a password is seen by no other user of the machine.</summary>
/// <param name="name">The option.</param>
/// <param name="variable">The variable.</param>
/// <param name="use">What the address is given to.</param>
/// <typeparam name="TStoreOptions">What the store checks it in.</typeparam>
public sealed class ServerOption<TStoreOptions>(string name, string variable, Func<ICoordinationBuilder, string, ICoordinationBuilder> use)
    where TStoreOptions : class
{
    /// <summary>The address, as its client takes it; null where none is given.</summary>
    /// <exception cref="UsageException">It cannot be read, or names no server.</exception>
    public string? Find(Arguments arguments) => OnCommandLine(arguments) ?? InEnvironment();

    /// <inheritdoc cref="Find"/>
    public string? OnCommandLine(Arguments arguments) => arguments.Text(name) is { } address ? Check(name, address) : null;

    /// <inheritdoc cref="Find"/>
    public string? InEnvironment() => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } address ? Check(variable, address) : null;

    /// <summary>Has the store look at it, which repeats nothing of an address that may hold a password.</summary>
    private string Check(string source, string address)
    {
        if (string.IsNullOrWhiteSpace(address))
        {
            throw new UsageException($"{source} is empty. Name a server, or leave it out.");
        }

        using var services = use(new ServiceCollection().AddCoordination(), address).Services.BuildServiceProvider();
        try
        {
            _ = services.GetRequiredService<IOptions<TStoreOptions>>().Value;
            return address;
        }
        catch (OptionsValidationException e)
        {
            // It begins with the name of the setting, which is another one here.
            throw new UsageException(string.Join(' ', e.Failures.Select(failure => source + failure[failure.IndexOf(' ', StringComparison.Ordinal)..])));
        }
    }
}
