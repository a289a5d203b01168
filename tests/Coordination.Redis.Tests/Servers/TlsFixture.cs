using Coordination.TestKit.Servers;
using StackExchange.Redis;

namespace Coordination.Redis.Tests.Servers;

/// <summary>A redis-server that speaks TLS only, with a certificate of this run.</summary>
public sealed class TlsFixture : ServerFixture
{
    private readonly TestCertificates _certificates = new();
    private RedisProcess? _server;

    protected override async Task<string> StartAsync()
    {
        _server = await RedisProcess.StartAsync(server =>
        [
            "--port", "0", "--tls-port", $"{server.Port}", "--tls-auth-clients", "no",
            "--tls-cert-file", _certificates.WriteCertificate(server.Folder),
            "--tls-key-file", _certificates.WriteKey(server.Folder),
            "--tls-ca-cert-file", _certificates.WriteAuthority(server.Folder),
        ]);
        return _server.ConnectionString + ",ssl=true,sslHost=127.0.0.1";
    }

    protected override async ValueTask StopAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        _certificates.Dispose();
    }

    /// <summary>The machine does not know the authority; the connection trusts it and no other.</summary>
    protected override ConfigurationOptions Parse(string connectionString)
    {
        var settings = base.Parse(connectionString);
        settings.TrustIssuer(_certificates.Authority);
        return settings;
    }
}
