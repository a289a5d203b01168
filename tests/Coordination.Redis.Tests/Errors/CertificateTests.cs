using Coordination.Redis.Tests.Servers;
using Coordination.TestKit.Waiting;
using StackExchange.Redis;

namespace Coordination.Redis.Tests.Errors;

/// <summary>A server whose certificate is not the one that the connection string asks for gives out no locks.</summary>
[Needs(Need.RedisServer)]
public sealed class CertificateTests(TlsFixture server)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Failure("F30")]
    public async Task A_certificate_of_another_authority_is_refused()
    {
        using var others = new TestCertificates("Somebody else");
        var settings = ConfigurationOptions.Parse(await server.GetConnectionStringAsync());
        settings.TrustIssuer(others.Authority);

        await IsRefusedAsync(settings);
    }

    [Fact]
    [Failure("F30")]
    public async Task A_certificate_of_an_authority_that_nobody_trusts_is_refused() =>
        await IsRefusedAsync(ConfigurationOptions.Parse(await server.GetConnectionStringAsync()));

    [Fact]
    [Failure("F30")]
    public async Task A_certificate_for_another_name_is_refused()
    {
        var settings = await server.GetSettingsAsync();
        settings.SslHost = "redis.example";

        await IsRefusedAsync(settings);
    }

    private static async Task IsRefusedAsync(ConfigurationOptions settings)
    {
        await using var node = new TestNode(settings, "test");

        // Between two attempts the client library has no connection, and that is all it can say.
        LockStoreException? error = null;
        await Eventually.IsTrueAsync(
            async () =>
            {
                error = await Assert.ThrowsAsync<LockStoreException>(() => node.Administration.PingAsync(Token));
                return !error.IsTransient;
            },
            TimeSpan.FromSeconds(20),
            "the refusal is told");
        Assert.Contains("certificates", error!.Message, StringComparison.Ordinal);
    }
}
