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
        ["Revoke"] = "7c60cb4fd0a5eac697b6bb04ff0797b3c3f657ea",
        ["StepDown"] = "0e4cda6225afb457cfe6fa6f7f7e91cc199acabf",
        ["Holder"] = "c3bb3d238d053edca5b8d4d7a3a9abd32da788db",
        ["Inspect"] = "e6bc5a6cfd852076a4e78f51feb3683c1eb0bc42",
        ["Identity"] = "98a1a20ffb907d9d3290463f61412c4c8acf4688",
        ["Race"] = "8a9025c89c857770638232dc63a6d7b1c9e08eac",
        ["ShareAcquire"] = "4224da585a4ff11c991d3d1518fc36fcbdda4d38",
        ["ShareRelease"] = "3b9ee950c13cbba36d599eeae7aff10933bda1d9",
        ["ShareJoined"] = "0044eb7187fa768747dd083b29207f40bd508e55",
        ["ShareRenew"] = "4f95a45c758ad6c4fa7f481141ff3a8a4596b7c4",
        ["ShareClaim"] = "da1c05f7a1107847cb8c17b091049477d705593f",
        ["ShareRevoke"] = "4993876432e066d4bc5eaeb15d7aacb23be790ce",
        ["ShareInspect"] = "dbf1e8a281d6061c882a7ad4dce62e2540fa45ad",
        ["Settle"] = "428d8e5b9530371fa2bace7a8989d5e60e2b7e22",
    };
}
