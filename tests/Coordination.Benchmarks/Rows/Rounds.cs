namespace Coordination.Benchmarks.Rows;

/// <summary>Rounds in alternating order: what the machine does meanwhile, and what runs first, favours none.</summary>
internal static class Rounds
{
    public static async Task RunAsync<T>(int rounds, IReadOnlyList<T> participants, Func<T, Task> measure)
    {
        for (var round = 0; round < rounds; round++)
        {
            foreach (var participant in round % 2 == 0 ? participants : participants.Reverse())
            {
                await measure(participant);
            }
        }
    }
}
