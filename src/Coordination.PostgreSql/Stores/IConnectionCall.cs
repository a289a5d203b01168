using Npgsql;

namespace Coordination.PostgreSql.Stores;

/// <summary>A <see cref="ConnectionCall{T}"/>, whatever it replies.</summary>
internal interface IConnectionCall
{
    string Subject { get; }

    void Run(NpgsqlConnection connection);

    void Fail(Exception failure);
}
