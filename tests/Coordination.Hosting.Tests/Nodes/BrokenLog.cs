using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Coordination.Hosting.Tests.Nodes;

/// <summary>A log provider that throws for this package's lines, as one does whose disk is full.</summary>
internal sealed class BrokenLog : ILoggerProvider
{
    public volatile bool IsBroken;

    private volatile int _breaks;

    /// <summary>How often it has thrown.</summary>
    public int Breaks => _breaks;

    /// <summary>The event that it breaks on; null for all of them.</summary>
    public int? BreaksOn { get; init; }

    public void AddTo(IServiceCollection services) => services.AddSingleton<ILoggerProvider>(this);

    public ILogger CreateLogger(string categoryName) => new BrokenLogger(this, categoryName);

    public void Dispose()
    {
    }

    private sealed class BrokenLogger(BrokenLog log, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (log.IsBroken && category.Contains("Exclusive", StringComparison.Ordinal) && (log.BreaksOn is not { } only || only == eventId.Id))
            {
                Interlocked.Increment(ref log._breaks);
                throw new IOException("The disk is full.");
            }
        }
    }
}
