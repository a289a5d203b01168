namespace Coordination.Redis.Tests.Stores;

/// <summary>The scripts of this release, by the SHA-1 of their texts as they are sent. A failing <see cref="FrozenScriptsTests"/> prints the lines that belong here.</summary>
internal static class FrozenScripts
{
    public static readonly IReadOnlyDictionary<string, string> Hashes = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["Acquire"] = "fc7e6616930e91a38c1070269bdf6b5052e48cad",
        ["Claim"] = "18ff20cf822fe8e9b13df5abdaa6ebb5c7412a5e",
        ["Renew"] = "5349dedc9f0b6b0e15938893003412dd22b07e36",
        ["Release"] = "2d8303e88ba46c65c8d6f289287bc3ed7365f654",
        ["Joined"] = "1c89fc8da529fa172988ff8b71c46383179aa576",
        ["AcquireAll"] = "c9dab81a478c795e3b3a4579e08d34d9644460f4",
        ["Revoke"] = "7c60cb4fd0a5eac697b6bb04ff0797b3c3f657ea",
        ["StepDown"] = "1a2b3de6bdb5d918b4d4fd402f760bd23d43e280",
        ["Holder"] = "c3bb3d238d053edca5b8d4d7a3a9abd32da788db",
        ["Inspect"] = "e6bc5a6cfd852076a4e78f51feb3683c1eb0bc42",
        ["Identity"] = "98a1a20ffb907d9d3290463f61412c4c8acf4688",
        ["Race"] = "8a9025c89c857770638232dc63a6d7b1c9e08eac",
        ["ShareAcquire"] = "fb330b9a5edcac0b98650f6a50b3e8b96fc805ac",
        ["ShareRelease"] = "341ffebdbaada44826d212e674bf10f65daff9a9",
        ["ShareJoined"] = "0044eb7187fa768747dd083b29207f40bd508e55",
        ["ShareRenew"] = "4f95a45c758ad6c4fa7f481141ff3a8a4596b7c4",
        ["ShareClaim"] = "da1c05f7a1107847cb8c17b091049477d705593f",
        ["ShareRevoke"] = "4993876432e066d4bc5eaeb15d7aacb23be790ce",
        ["ShareInspect"] = "d41d0c85dd2e3e467642d55796dee9dca7889245",
        ["Settle"] = "4ac215d1765c1589426a3c56a53d85e21013cb29",
    };
}
