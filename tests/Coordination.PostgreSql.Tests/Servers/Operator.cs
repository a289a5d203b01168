using Coordination.TestKit.Servers;
using Npgsql;

namespace Coordination.PostgreSql.Tests.Servers;

/// <summary>What an operator asks of a server.</summary>
internal static class Operator
{
    extension(PostgreSqlProcess server)
    {
        public Task ExecuteAsync(string text) => server.AskAsync(text);

        /// <returns>The first value, as text.</returns>
        public async Task<string?> AskAsync(string text)
        {
            await using var connection = new NpgsqlConnection(server.ConnectionString + ";Pooling=false;Options=-c synchronous_commit=local");
            await connection.OpenAsync(TestContext.Current.CancellationToken);
            await using var command = new NpgsqlCommand(text, connection);
            return (await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))?.ToString();
        }
    }
}
