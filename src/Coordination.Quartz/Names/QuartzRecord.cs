using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Quartz;

namespace Coordination.Quartz.Names;

/// <summary>
/// What Quartz notes of each registration of jobs and triggers in a container. It is internal to Quartz, which warns by it of keys that are new at each
/// start of a persistent store; there is no public word of whether a key was given.
/// </summary>
internal static class QuartzRecord
{
    private const string Content = "Quartz.Configuration.ISchedulerContent, Quartz";
    private const string Identity = "Quartz.Configuration.GeneratedIdentity, Quartz";

    /// <summary>What is registered with a scheduler; null when this version of Quartz keeps no such record.</summary>
    /// <param name="services">The container of the scheduler.</param>
    /// <param name="scheduler">The name under which it is registered: empty for the default one.</param>
    public static IEnumerable<(IEnumerable<IJobDetail> Jobs, IEnumerable<ITrigger> Triggers, string? GeneratedKey)>? Find(IServiceProvider services, string scheduler)
    {
        // Spelled out, so that the compiler that works ahead of time sees which members are asked for.
        var content = Type.GetType(Content);
        var (jobs, triggers, generated) = (content?.GetProperty("Jobs"), content?.GetProperty("Triggers"), content?.GetProperty("GeneratedIdentity"));
        var key = Type.GetType(Identity)?.GetProperty("Key");
        return content is null || jobs is null || triggers is null || generated is null || key is null
            ? null
            : Resolve(services, content, scheduler).Select(registration => (
                Read<IEnumerable<IJobDetail>>(jobs, registration) ?? [],
                Read<IEnumerable<ITrigger>>(triggers, registration) ?? [],
                Read<object>(generated, registration) is { } identity ? Read<string>(key, identity) : null));
    }

    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "Enumerations of reference types share their code, and Quartz asks for the same one.")]
    private static IEnumerable<object> Resolve(IServiceProvider services, Type content, string scheduler) =>
        (scheduler.Length == 0 ? services.GetServices(content) : services.GetKeyedServices(content, scheduler)).OfType<object>();

    private static T? Read<T>(PropertyInfo property, object from)
        where T : class => property.GetValue(from) as T;
}
