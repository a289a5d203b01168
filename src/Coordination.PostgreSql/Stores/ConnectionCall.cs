using Npgsql;

namespace Coordination.PostgreSql.Stores;

/// <summary>Something that is run on the connection of the renewals. Who awaits it goes on elsewhere.</summary>
/// <param name="act">What to run.</param>
/// <param name="subject">The same, for messages.</param>
internal sealed class ConnectionCall<T>(Func<NpgsqlConnection, T> act, string subject) : TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously), IConnectionCall
{
    public string Subject => subject;

    public void Run(NpgsqlConnection connection) => TrySetResult(act(connection));

    public void Fail(Exception failure) => TrySetException(failure);
}
