using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.ExceptionServices;
using StackExchange.Redis;

namespace Coordination.Redis.Tests.Connections;

/// <summary>A connection that tells nobody of what happens to it.</summary>
[SuppressMessage("Performance", "CA1852:Seal internal types", Justification = "DispatchProxy derives from it.")]
internal class SilentConnection : DispatchProxy
{
    private IConnectionMultiplexer? _connection;
    private int _looks;

    /// <summary>How often somebody asked whether it is connected.</summary>
    public int Looks => Volatile.Read(ref _looks);

    public static IConnectionMultiplexer Of(IConnectionMultiplexer connection)
    {
        var silent = Create<IConnectionMultiplexer, SilentConnection>();
        ((SilentConnection)(object)silent)._connection = connection;
        return silent;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        if (targetMethod!.IsSpecialName && targetMethod.Name.StartsWith("add_", StringComparison.Ordinal))
        {
            return null;
        }

        if (targetMethod.Name == "get_" + nameof(IConnectionMultiplexer.IsConnected))
        {
            Interlocked.Increment(ref _looks);
        }

        try
        {
            return targetMethod.Invoke(_connection, args);
        }
        catch (TargetInvocationException thrown)
        {
            ExceptionDispatchInfo.Throw(thrown.InnerException!);
            throw;
        }
    }
}
