using Coordination;
using Coordination.DependencyInjection;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>
/// What a stop of the host takes: the shutdown timeout for its services, what is added here, and the release timeout of each node. Where the platform gives less,
/// a shutdown timeout that nobody chose is shortened when the host starts, and of one that somebody chose a warning says that it does not fit. For authors of integrations.
/// </summary>
public static class CoordinationStopTimeExtensions
{
    private static readonly DurationRange Longest = DurationRange.Between(TimeSpan.Zero, TimeSpan.FromDays(1));

    /// <summary>Notes that a part of the host goes on when the services have stopped, as what awaits work that a service has left. Noted once, however often it is called.</summary>
    /// <param name="services">The services of the host.</param>
    /// <param name="what">What takes the time, as the warning names it.</param>
    /// <param name="longest">How long it takes at most: zero to 1 day.</param>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> or <paramref name="what"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="longest"/> is not in its range.</exception>
    public static IServiceCollection AddCoordinationStopTime(this IServiceCollection services, string what, TimeSpan longest)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(what);
        Longest.Validate(nameof(longest), nameof(longest), longest);
        var time = new StopTime(what, longest);
        if (!services.Any(service => service.ImplementationInstance is StopTime known && known == time))
        {
            services.AddSingleton(time);
        }

        return services;
    }
}
