using Coordination.Redis.Errors;
using Coordination.TestKit.Servers;
using StackExchange.Redis;

namespace Coordination.Redis.Tests.Servers;

/// <summary>
/// A redis-server on which nodes are a user with the rights that locks need and no others. The last two are for the inspector, which
/// the contract looks at as well.
/// </summary>
public sealed class AclFixture : ServerFixture
{
    private RedisProcess? _server;

    protected override async Task<string> StartAsync()
    {
        _server = await RedisProcess.StartAsync(
        [
            "--user", "default", "off",
            "--user", "operator", "on", ">operator-password", "~*", "&*", "+@all",
            "--user", "app", "on", ">app-password", "~test-*:*", "&test-*:*", .. RedisErrorClassifier.RequiredRights.Split(' '), .. RedisErrorClassifier.ShareRights.Split(' '), "+scan", "+zcard",
        ]);
        return _server.ConnectionString + ",user=app,password=app-password";
    }

    protected override ValueTask StopAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;

    protected override void Promote(ConfigurationOptions settings)
    {
        base.Promote(settings);
        (settings.User, settings.Password) = ("operator", "operator-password");
    }
}
