using Coordination.Hosting.Execution;

namespace Coordination.Hosting.RunOnce;

/// <summary>One call of <c>AddRunOnce</c>, and what became of it on this node.</summary>
/// <param name="name">What it is called.</param>
/// <param name="work">What it does.</param>
internal sealed class RunOnceWork(string name, Func<RunOnceContext, CancellationToken, Task> work)
{
    /// <summary>The configuration section that has one for each of them.</summary>
    public const string Section = CoordinationOptions.SectionName + ":RunOnce";

    public string Name => name;

    /// <summary>Its lock, and the name of its options.</summary>
    public string LockName { get; } = "run-once/" + name;

    /// <summary>The configuration section that its options are bound from.</summary>
    public string SectionPath => $"{Section}:{name}";

    public WorkStatus Status { get; } = new();

    public Task Do(RunOnceContext context, CancellationToken cancellationToken) => work(context, cancellationToken);
}
