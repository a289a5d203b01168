namespace Coordination;

/// <summary>
/// Names the lock of an <see cref="ExclusiveBackgroundService"/>. Without it, and without <see cref="ExclusiveServiceOptions.LockName"/>,
/// the lock is the application's own, <c>{application}/{type}</c>, which changes when the type is renamed or moved.
/// </summary>
/// <param name="name">The name of the lock, as <see cref="ILockProvider.GetLock"/> takes it.</param>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class ExclusiveLockAttribute(string name) : Attribute
{
    /// <summary>The name of the lock.</summary>
    public string Name { get; } = name;
}
