namespace Coordination.TestKit.Servers;

/// <summary>A Garnet process. The test program has to be one when it is asked to: see <see cref="GarnetProcess"/>.</summary>
public sealed class GarnetFixture : ServerFixture
{
    private GarnetProcess? _server;

    protected override async Task<string> StartAsync()
    {
        _server = await GarnetProcess.StartAsync();
        return _server.ConnectionString;
    }

    protected override ValueTask StopAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;
}
