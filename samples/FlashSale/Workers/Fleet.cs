using System.Threading.Channels;
using SampleKit.Timeline;

namespace FlashSale.Workers;

/// <summary>The workers, A to D, and what they say.</summary>
internal sealed class Fleet : IAsyncDisposable
{
    private readonly Channel<(WorkerProcess Worker, WorkerMessage Message)> _inbox = Channel.CreateUnbounded<(WorkerProcess, WorkerMessage)>();
    private readonly List<WorkerProcess> _workers = [];

    public IReadOnlyList<WorkerProcess> Workers => _workers;

    /// <summary>Starts them, and waits until all are ready.</summary>
    public async Task StartAsync(ServerAddresses servers, Chronicle timeline, CancellationToken cancellationToken)
    {
        for (var i = 0; i < Sale.Workers; i++)
        {
            _workers.Add(WorkerProcess.Start(((char)('A' + i)).ToString(), servers, _inbox.Writer, timeline));
        }

        for (var ready = 0; ready < _workers.Count; ready++)
        {
            var (worker, message) = await HearAsync(cancellationToken);
            if (message is not Ready)
            {
                throw new SaleFailedException($"{worker.Name} said {message} before it was ready.");
            }
        }
    }

    /// <summary>What one of them says next.</summary>
    /// <exception cref="SaleFailedException">One of them cannot go on.</exception>
    public async Task<(WorkerProcess Worker, WorkerMessage Message)> HearAsync(CancellationToken cancellationToken)
    {
        var (worker, message) = await _inbox.Reader.ReadAsync(cancellationToken);
        return message is Failed failed ? throw new SaleFailedException($"{worker.Name} cannot go on: {failed.Reason}") : (worker, message);
    }

    public async ValueTask DisposeAsync() => await Task.WhenAll(_workers.Select(worker => worker.DisposeAsync().AsTask()));
}
