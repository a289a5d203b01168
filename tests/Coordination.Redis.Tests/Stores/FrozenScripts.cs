namespace Coordination.Redis.Tests.Stores;

/// <summary>The scripts of this release, by the SHA-1 of their texts as they are sent. A failing <see cref="FrozenScriptsTests"/> prints the lines that belong here.</summary>
internal static class FrozenScripts
{
    public static readonly IReadOnlyDictionary<string, string> Hashes = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["Acquire"] = "fc7e6616930e91a38c1070269bdf6b5052e48cad",
        ["Claim"] = "18ff20cf822fe8e9b13df5abdaa6ebb5c7412a5e",
        ["Renew"] = "09a04ee4e9a8b170f2a64b5c5f31d71887402c29",
        ["Release"] = "a4df0c02e370b0247ba24b94471de23719b8134b",
        ["Joined"] = "1c89fc8da529fa172988ff8b71c46383179aa576",
        ["Revoke"] = "04edb385ba5059c3b5ca0dd4133201f477ccd864",
        ["Holder"] = "c3bb3d238d053edca5b8d4d7a3a9abd32da788db",
        ["Inspect"] = "e6bc5a6cfd852076a4e78f51feb3683c1eb0bc42",
        ["Identity"] = "98a1a20ffb907d9d3290463f61412c4c8acf4688",
        ["Race"] = "e327ba4cc9a5178aa0299b6dbb22a5d04b0b2f76",
    };
}
