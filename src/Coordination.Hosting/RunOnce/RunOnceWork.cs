using Coordination.Hosting.Execution;

namespace Coordination.Hosting.RunOnce;

/// <summary>One call of <c>AddRunOnce</c>, and what became of it on this node.</summary>
/// <param name="name">What it is called.</param>
/// <param name="options">Its settings.</param>
/// <param name="work">What it does.</param>
internal sealed class RunOnceWork(string name, RunOnceOptions options, Func<RunOnceContext, CancellationToken, Task> work)
{
    public string Name => name;

    public string LockName { get; } = "run-once/" + name;

    public RunOnceOptions Options => options;

    public WorkStatus Status { get; } = new();

    public Task Do(RunOnceContext context, CancellationToken cancellationToken) => work(context, cancellationToken);
}
