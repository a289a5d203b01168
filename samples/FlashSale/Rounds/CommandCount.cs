using System.Globalization;
using StackExchange.Redis;

namespace FlashSale.Rounds;

/// <summary>What the server counts, where it does: Redis counts the commands that scripts call, too; the embedded server does not count.</summary>
internal sealed class CommandCount(IConnectionMultiplexer connection)
{
    /// <summary>How many commands all masters together have carried out since they were started; null where one of them does not count.</summary>
    public async Task<long?> ReadAsync()
    {
        var sum = 0L;
        foreach (var server in connection.GetServers().Where(server => server is { IsConnected: true, IsReplica: false }))
        {
            var stats = (await server.InfoAsync("stats")).SelectMany(section => section);
            var text = stats.FirstOrDefault(entry => entry.Key == "total_commands_processed").Value;
            if (!long.TryParse(text, CultureInfo.InvariantCulture, out var count) || count == 0)
            {
                return null;
            }

            sum += count;
        }

        return sum;
    }
}
