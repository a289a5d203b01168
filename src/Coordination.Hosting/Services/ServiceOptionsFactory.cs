using Microsoft.Extensions.Options;

namespace Coordination.Hosting.Services;

/// <summary>
/// Makes the options of each service, as the platform does. What is set for options without a name, by <c>services.Configure&lt;T&gt;(…)</c>, counts for all
/// of them: no service has options without a name.
/// </summary>
internal sealed class ServiceOptionsFactory<TOptions>(
    IEnumerable<IConfigureOptions<TOptions>> setups, IEnumerable<IPostConfigureOptions<TOptions>> later, IEnumerable<IValidateOptions<TOptions>> checks)
    : OptionsFactory<TOptions>(setups.Select(static setup => new ForAll(setup)), later.Select(static setup => new LaterForAll(setup)), checks)
    where TOptions : class, new()
{
    protected override TOptions CreateInstance(string name) => new();

    private static bool HasName(string? name) => !string.IsNullOrEmpty(name);

    /// <remarks>One that counts for every name is asked once.</remarks>
    private sealed class ForAll(IConfigureOptions<TOptions> setup) : IConfigureNamedOptions<TOptions>
    {
        public void Configure(TOptions options) => setup.Configure(options);

        public void Configure(string? name, TOptions options)
        {
            if (setup is not IConfigureNamedOptions<TOptions> named)
            {
                setup.Configure(options);
                return;
            }

            if (HasName(name) && setup is not ConfigureNamedOptions<TOptions> { Name: null })
            {
                named.Configure(Options.DefaultName, options);
            }

            named.Configure(name, options);
        }
    }

    private sealed class LaterForAll(IPostConfigureOptions<TOptions> setup) : IPostConfigureOptions<TOptions>
    {
        public void PostConfigure(string? name, TOptions options)
        {
            if (HasName(name) && setup is not PostConfigureOptions<TOptions> { Name: null })
            {
                setup.PostConfigure(Options.DefaultName, options);
            }

            setup.PostConfigure(name, options);
        }
    }
}
