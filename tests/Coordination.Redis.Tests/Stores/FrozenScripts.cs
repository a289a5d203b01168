namespace Coordination.Redis.Tests.Stores;

/// <summary>The scripts of this release, by the SHA-1 of their texts as they are sent. A failing <see cref="FrozenScriptsTests"/> prints the lines that belong here.</summary>
internal static class FrozenScripts
{
    public static readonly IReadOnlyDictionary<string, string> Hashes = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["Acquire"] = "fc7e6616930e91a38c1070269bdf6b5052e48cad",
        ["Claim"] = "18ff20cf822fe8e9b13df5abdaa6ebb5c7412a5e",
        ["Renew"] = "5349dedc9f0b6b0e15938893003412dd22b07e36",
        ["Release"] = "fbcb4a00d1632f03c09b78319fa1eb27fffd1f20",
        ["Joined"] = "1c89fc8da529fa172988ff8b71c46383179aa576",
        ["AcquireAll"] = "c9dab81a478c795e3b3a4579e08d34d9644460f4",
        ["Revoke"] = "7c60cb4fd0a5eac697b6bb04ff0797b3c3f657ea",
        ["Holder"] = "c3bb3d238d053edca5b8d4d7a3a9abd32da788db",
        ["Inspect"] = "e6bc5a6cfd852076a4e78f51feb3683c1eb0bc42",
        ["Identity"] = "98a1a20ffb907d9d3290463f61412c4c8acf4688",
        ["Race"] = "8a9025c89c857770638232dc63a6d7b1c9e08eac",
        ["ShareAcquire"] = "436dab498943cf6506b6e5f7e9cd877069f4f0f9",
        ["ShareRelease"] = "87aa82ad7f9b87ead1460c2e4d7a713cda4d63f1",
        ["ShareJoined"] = "0044eb7187fa768747dd083b29207f40bd508e55",
        ["ShareRenew"] = "4f95a45c758ad6c4fa7f481141ff3a8a4596b7c4",
        ["ShareClaim"] = "a1c7cb3bedf4d3ee00728ee9e7cd65efb8581253",
        ["ShareRevoke"] = "f888820bacb26cfdd15be5d0312cf88fa8f5492c",
        ["ShareInspect"] = "dbf1e8a281d6061c882a7ad4dce62e2540fa45ad",
        ["Settle"] = "4ce03042a6e42a849ca42a48d426a807928cf55d",
    };
}
