using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Coordination.Redis.Tests.Servers;

/// <summary>An authority of its own and a certificate that it issued to 127.0.0.1, good for a day.</summary>
public sealed class TestCertificates : IDisposable
{
    private readonly ECDsa _authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _certificate;

    public TestCertificates(string authority = "Coordination tests")
    {
        var (from, to) = (DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1));
        var root = new CertificateRequest($"CN={authority}", _authorityKey, HashAlgorithmName.SHA256);
        root.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        root.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        Authority = root.CreateSelfSigned(from, to);

        var server = new CertificateRequest("CN=server", _key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        server.CertificateExtensions.Add(names.Build());
        _certificate = server.Create(Authority, from, to, RandomNumberGenerator.GetBytes(8));
    }

    /// <summary>Whom to trust.</summary>
    public X509Certificate2 Authority { get; }

    /// <returns>The path of the file.</returns>
    public string WriteAuthority(string folder) => Write(folder, "authority.pem", Authority.ExportCertificatePem());

    /// <returns>The path of the file.</returns>
    public string WriteCertificate(string folder) => Write(folder, "server.pem", _certificate.ExportCertificatePem());

    /// <returns>The path of the file.</returns>
    public string WriteKey(string folder) => Write(folder, "server.key", _key.ExportPkcs8PrivateKeyPem());

    public void Dispose()
    {
        _certificate.Dispose();
        Authority.Dispose();
        _key.Dispose();
        _authorityKey.Dispose();
    }

    private static string Write(string folder, string name, string pem)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllText(path, pem);
        return path;
    }
}
