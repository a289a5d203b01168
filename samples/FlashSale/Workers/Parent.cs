using System.Text.Json;
using System.Threading.Channels;

namespace FlashSale.Workers;

/// <summary>The process that started this one: heard on standard input, and told on standard output.</summary>
internal sealed class Parent
{
    private readonly TextWriter _output = Console.Out;
    private readonly Channel<WorkerCommand> _commands = Channel.CreateUnbounded<WorkerCommand>();

    public Parent()
    {
        // Reading the standard input blocks: on a thread of its own, not on one that buyers need.
        new Thread(Listen) { IsBackground = true, Name = "parent" }.Start();
    }

    /// <summary>Ends when the parent is gone, or wants the worker to end.</summary>
    public IAsyncEnumerable<WorkerCommand> Commands => _commands.Reader.ReadAllAsync();

    public void Tell(WorkerMessage message) => _output.WriteLine(JsonSerializer.Serialize(message));

    private void Listen()
    {
        while (Console.In.ReadLine() is { } line)
        {
            _commands.Writer.TryWrite(JsonSerializer.Deserialize<WorkerCommand>(line)!);
        }

        _commands.Writer.Complete();
    }
}
