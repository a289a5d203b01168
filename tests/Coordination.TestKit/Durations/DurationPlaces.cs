using System.Reflection;

namespace Coordination.TestKit.Durations;

/// <summary>Where a package takes a duration: found by reflection, so that a test hears of a place that is added later.</summary>
public static class DurationPlaces
{
    /// <summary>The durations among the properties of a type that can be set.</summary>
    public static IEnumerable<PropertyInfo> OptionsOf(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            .Where(property => property.SetMethod is { IsPublic: true } && IsDuration(property.PropertyType, property.Name));

    /// <summary>All of a package: as <c>Type.Property</c>, and as <c>Type.Method(parameter)</c>.</summary>
    /// <param name="package">Its assembly.</param>
    /// <param name="except">Types that are no settings, such as what a store is asked.</param>
    public static IEnumerable<string> Of(Assembly package, params Type[] except) =>
        package.GetExportedTypes().Except(except)
            .SelectMany(type => OptionsOf(type).Select(property => $"{type.Name}.{property.Name}").Concat(ParametersOf(type)))
            .Distinct()
            .Order(StringComparer.Ordinal);

    private static IEnumerable<string> ParametersOf(Type type) =>
        from method in type.GetMembers(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly).OfType<MethodBase>()
        where (method.IsPublic || method.IsFamily) && !(method.IsSpecialName && method is MethodInfo)
        from parameter in method.GetParameters()
        where !parameter.IsOut && IsDuration(parameter.ParameterType, parameter.Name!)
        select $"{type.Name}.{(method is ConstructorInfo ? "new" : method.Name)}({parameter.Name})";

    private static bool IsDuration(Type type, string name)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type == typeof(TimeSpan) || (type.IsPrimitive && (name.EndsWith("Milliseconds", StringComparison.OrdinalIgnoreCase) || name.EndsWith("Seconds", StringComparison.OrdinalIgnoreCase)));
    }
}
